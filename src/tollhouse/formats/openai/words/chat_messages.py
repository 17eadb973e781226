"""The messages of a chat, read into core words: what earlier answers had beside their text, too."""

from typing import Any, Final

from tollhouse.core.conversation import (
    Citation,
    Conversation,
    MediaPart,
    Message,
    Opaque,
    Part,
    Reasoning,
    Refusal,
    Role,
    TextPart,
    ToolCall,
    ToolResult,
)
from tollhouse.core.failure import BadRequest, UnsupportedParameter
from tollhouse.core.features import note
from tollhouse.core.opaque import id_without
from tollhouse.formats.openai import chunk as chunks
from tollhouse.formats.openai.words.chat_blocks import read_block
from tollhouse.formats.openai.words.citations import citations_of
from tollhouse.formats.openai.words.media import read_audio, read_cache_mark, read_file, read_image, read_url
from tollhouse.formats.openai.words.members import Object, array, note_others, object_of, text
from tollhouse.formats.openai.words.reasoning import OWN, reasoning_of

_ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "tool": "user",
    "function": "user",
}
_TEXTS: Final = ("text", "input_text", "output_text")
_KNOWN: Final = frozenset(
    (
        *("role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal", "audio", "annotations"),
        *("reasoning_content", "reasoning", "reasoning_details", "thinking", "thinking_blocks", "cache_control"),
        *("id", "type", "status", "index", "object", "created_at", "createdAt", "timestamp", "logprobs", "images"),
        *("finish_reason", "stop_reason", "weight", "is_error", "metadata", "usage", "tool_name"),
    )
)
"""Members that are read here, and what clients keep of an earlier answer that no model reads."""


def read_messages(conversation: Conversation, value: object) -> None:
    """Raises BadRequest, UnsupportedParameter. Results of tools that follow one another stand in one message."""
    results: list[Part] | None = None
    for at, one in enumerate(array(value, "messages")):
        path = f"messages[{at}]"
        found = object_of(one, path)
        word = text(found.get("role"), f"{path}.role")
        if word not in _ROLES:
            raise BadRequest(f"'{path}.role' must be one of {', '.join(_ROLES)}.", param=f"{path}.role")
        note_others(conversation, found, _KNOWN, path)
        if word in ("tool", "function"):
            result = _result(conversation, found, path, is_function=word == "function")
            if results is None:
                results = []
                conversation.messages.append(Message(role="user", parts=results))
            results.append(result)
            continue
        results = None
        parts = _said(conversation, found, path) if word == "assistant" else _content(conversation, found, path)
        name = _name(conversation, found, path)
        conversation.messages.append(Message(role=_ROLES[word], parts=parts, name=name, path=path))


def _name(conversation: Conversation, found: Object, path: str) -> str:
    name = found.get("name")
    if not isinstance(name, str) or not name:
        return ""
    note(conversation, "message_names", f"{path}.name")
    return name


def _content(conversation: Conversation, found: Object, path: str) -> list[Part]:
    """The content of a message; a mark on the message itself is one on its last part."""
    content = found.get("content")
    if isinstance(content, str):
        parts: list[Part] = [TextPart(text=content)]
    elif content is None:
        parts = []
    else:
        parts = [
            _part(conversation, one, f"{path}.content[{number}]")
            for number, one in enumerate(array(content, f"{path}.content"))
        ]
    if parts and "cache_control" in found and isinstance(last := parts[-1], TextPart | MediaPart):
        last.cache = read_cache_mark(conversation, found, path)
    return parts


def _part(conversation: Conversation, one: object, path: str) -> Part:
    if isinstance(one, str):
        return TextPart(text=one)
    part = object_of(one, path)
    kind = part.get("type", "text")
    if kind in _TEXTS:
        return TextPart(text=text(part.get("text"), f"{path}.text"), cache=read_cache_mark(conversation, part, path))
    if kind == "refusal":
        return Refusal(text=text(part.get("refusal", part.get("text")), f"{path}.refusal"))
    if kind in ("thinking", "reasoning"):
        return reasoning_of(part) or Reasoning()
    if (block := read_block(conversation, kind, part, path)) is not None:
        return block
    medium = _medium(conversation, kind, part, path)
    if medium is None:
        shown = str(kind)[:40]
        raise UnsupportedParameter(f"'{path}' is of the type '{shown}', which cannot be passed on.", param=path)
    medium.cache = read_cache_mark(conversation, part, path)
    return medium


def _medium(conversation: Conversation, kind: object, part: Object, path: str) -> MediaPart | None:
    if kind == "image_url":
        return read_image(conversation, part.get("image_url"), path)
    if kind == "input_image" and "image_url" in part:
        image = read_image(conversation, part["image_url"], path)
        image.detail = part["detail"] if isinstance(part.get("detail"), str) else image.detail
        return image
    if kind == "input_audio":
        return read_audio(conversation, part.get("input_audio"), path)
    if kind in ("video_url", "input_video"):
        video = part.get("video_url")
        video = video.get("url") if isinstance(video, dict) else video
        return read_url(conversation, "video", text(video, f"{path}.video_url"), path)
    if kind == "file":
        return read_file(conversation, object_of(part.get("file"), f"{path}.file"), path)
    return read_file(conversation, part, path) if kind == "input_file" else None


def _said(conversation: Conversation, found: Object, path: str) -> list[Part]:
    """What an assistant said. An empty text beside a call is none."""
    parts: list[Part] = []
    reasoning = reasoning_of(found)
    if reasoning is not None:
        parts.append(reasoning)
    content = [one for one in _content(conversation, found, path) if not isinstance(one, TextPart) or one.text]
    citations = citations_of(found.get("annotations"))
    if citations:
        note(conversation, "citations", f"{path}.annotations")
        _cite(content, citations)
    parts += content
    refusal = found.get("refusal")
    if isinstance(refusal, str) and refusal:
        parts.append(Refusal(text=refusal))
    images = found.get("images")  # as answers here, and OpenRouter's, hold what a model drew
    for number, image in enumerate(images if isinstance(images, list) else ()):
        drawn = object_of(image, f"{path}.images[{number}]").get("image_url")
        parts.append(read_image(conversation, drawn, f"{path}.images[{number}]"))
    if found.get("audio"):  # sound that the provider keeps
        note(conversation, "state", f"{path}.audio")
    calls, told = found.get("tool_calls"), {part.id for part in parts if isinstance(part, ToolCall)}
    for number, one in enumerate(array(calls, f"{path}.tool_calls") if calls is not None else ()):
        call = call_of(conversation, one, f"{path}.tool_calls[{number}]")
        if call.id not in told:  # a block of the content has said it
            parts.append(call)
    legacy = found.get("function_call")
    if isinstance(legacy, dict):
        function = {"type": "function", "id": _legacy_id(legacy.get("name")), "function": legacy}
        parts.append(call_of(conversation, function, f"{path}.function_call"))
    return parts


def _cite(parts: list[Part], citations: tuple[Citation, ...]) -> None:
    for part in parts:
        if isinstance(part, TextPart):
            part.citations = citations
            return


def call_of(conversation: Conversation, value: Any, path: str) -> ToolCall:
    """One of `tool_calls`."""
    call = object_of(value, path)
    note(conversation, "tools", path)
    own_id, opaque = id_without(text(call.get("id"), f"{path}.id"))
    if isinstance(extra := call.get("extra_content"), dict):
        opaque = Opaque(OWN, chunks.encode(extra).decode())
    if call.get("type") == "custom":
        note(conversation, "custom_tools", path)
        custom = object_of(call.get("custom"), f"{path}.custom")
        return ToolCall(
            id=own_id,
            name=text(custom.get("name"), f"{path}.custom.name"),
            arguments=text(custom.get("input", ""), f"{path}.custom.input"),
            is_custom=True,
            opaque=opaque,
        )
    function = object_of(call.get("function"), f"{path}.function")
    return ToolCall(
        id=own_id,
        name=text(function.get("name"), f"{path}.function.name"),
        arguments=chunks.arguments_of(function),
        opaque=opaque,
    )


def _result(conversation: Conversation, found: Object, path: str, *, is_function: bool) -> ToolResult:
    name = found.get("name")
    name = name if isinstance(name, str) else ""
    call_id = _legacy_id(name) if is_function else text(found.get("tool_call_id"), f"{path}.tool_call_id")
    parts = [one for one in _content(conversation, found, path) if isinstance(one, TextPart | MediaPart)]
    if any(isinstance(one, MediaPart) for one in parts):
        note(conversation, "tool_result_media", f"{path}.content")
    return ToolResult(id=id_without(call_id)[0], name=name, parts=parts, is_error=found.get("is_error") is True)


def _legacy_id(name: object) -> str:
    """`functions` had no ids: the call before a result is the one that it belongs to."""
    return f"call_{name}"

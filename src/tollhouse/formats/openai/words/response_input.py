"""The input of a response: items read into messages. What an assistant did in one turn, item by item, is one message,
and so are the results of its tools."""

from typing import Any, Final

from tollhouse.core.conversation import (
    Conversation,
    MediaPart,
    Message,
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
from tollhouse.formats.openai.summaries import ITEM, ITEMS, summary_in
from tollhouse.formats.openai.words.caller_tools import arguments_of, flat_name
from tollhouse.formats.openai.words.chat_messages import call_of
from tollhouse.formats.openai.words.citations import citations_of
from tollhouse.formats.openai.words.media import read_audio, read_cache_mark, read_file, read_url
from tollhouse.formats.openai.words.members import Object, array, note_others, object_of, text
from tollhouse.formats.openai.words.requested_tools import read_tools
from tollhouse.formats.openai.words.response_reasoning import reasoning_of
from tollhouse.formats.openai.words.settings import read_effort, read_output_form

_ROLES: Final[dict[str, Role]] = {
    "user": "user",
    "system": "system",
    "developer": "developer",
    "assistant": "assistant",
    "critic": "assistant",
}
_TEXTS: Final = ("input_text", "output_text", "text", "summary_text", "reasoning_text")
_BUILT_IN_CALLS: Final = ("local_shell_call", "shell_call", "apply_patch_call", "tool_search_call")
_OUTPUTS: Final = (
    *("function_call_output", "custom_tool_call_output", "local_shell_call_output", "shell_call_output"),
    "apply_patch_call_output",
)
_SEARCHES: Final = (
    *("web_search_call", "image_generation_call", "file_search_call", "code_interpreter_call", "mcp_list_tools"),
    *("mcp_approval_request", "mcp_approval_response"),
)
"""Items of what the vendor ran, whose results the model has told: without them the conversation says the same."""
_ENCRYPTED: Final = "gAAAA"
"""How what OpenAI encrypts begins."""
_BREAK: Final = "\n\n"
_TRIGGER: Final = "compaction_trigger"
_KNOWN: Final = frozenset(
    (
        *("type", "id", "role", "content", "status", "phase", "name", "arguments", "input", "call_id", "namespace"),
        *("output", "summary", "encrypted_content", "action", "operation", "execution", "tools", "max_output_length"),
        *("created_by", "caller", "reasoning", "text", "tool_calls", "tool_call_id", "metadata", "end_turn"),
        *("server_label", "error", "approval_request_id", "author", "recipient"),
        "internal_chat_message_metadata_passthrough",
    )
)


def read_input(conversation: Conversation, value: object, path: str = "input") -> None:
    """Raises BadRequest, UnsupportedParameter."""
    if isinstance(value, str):
        conversation.messages.append(Message(role="user", parts=[TextPart(text=value)]))
        return
    turns = _MessagesRead(conversation)
    for at, one in enumerate(array(value, path) if value is not None else ()):
        _read_item(turns, object_of(one, f"{path}[{at}]"), f"{path}[{at}]")


class _MessagesRead:
    """Messages, the last of which goes on while items of its kind follow."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation
        self.path = ""  # of the item that is read
        self._kind = ""
        self._thinks = False  # the last message has thoughts

    def assistant(self) -> list[Part]:
        return self._open("assistant", "assistant")

    def think(self, reasoning: Reasoning) -> None:
        """Of the items of a message, the first of its thoughts gives it its path: they are what may be left out."""
        parts = self.assistant()
        if not self._thinks:
            self.conversation.messages[-1].path = self.path
        self._thinks = True
        parts.append(reasoning)

    def results(self) -> list[Part]:
        return self._open("user", "results")

    def message(self, role: Role) -> list[Part]:
        if role == "assistant":
            return self.assistant()
        self._kind = ""
        return self._open(role, role)

    def _open(self, role: Role, kind: str) -> list[Part]:
        messages = self.conversation.messages
        if self._kind != kind or kind not in ("assistant", "results"):
            messages.append(Message(role=role, parts=[], path=self.path))
            self._thinks = False
        self._kind = kind
        return messages[-1].parts


def _read_item(turns: _MessagesRead, item: Object, path: str) -> None:
    conversation, turns.path = turns.conversation, path
    kind = item.get("type", "message")
    note_others(conversation, item, _KNOWN, path)
    if kind == "message":
        _read_message(turns, item, path)
    elif kind in ("function_call", "custom_tool_call"):
        turns.assistant().append(_call(conversation, item, path))
    elif kind in _BUILT_IN_CALLS and not (kind == "tool_search_call" and item.get("execution") == "server"):
        note(conversation, "tools", path)
        name = kind.removesuffix("_call")
        turns.assistant().append(ToolCall(id=_call_id(item, path), name=name, arguments=arguments_of(item)))
    elif kind in _OUTPUTS:
        turns.results().append(_result(conversation, item, path))
    elif kind == "tool_search_output":
        _read_found_tools(turns, item, path)
    elif kind == "reasoning":
        reasoning = reasoning_of(item)
        if reasoning is not None:
            turns.think(reasoning)
    elif kind == "additional_tools":
        read_tools(conversation, item.get("tools"), f"{path}.tools")
    elif kind == "configuration_update":
        _read_update(conversation, item, path)
    elif kind == _TRIGGER:
        conversation.answer_stands_for = ITEM
    elif kind in ITEMS and (summary := summary_in(item.get("encrypted_content"))) is not None:
        turns.message("user").append(TextPart(text=summary))
    elif kind == "item_reference" or kind in ITEMS:
        note(conversation, "state", path)
    elif kind == "agent_message":
        turns.message("user").extend(_told_by_agent(conversation, item, path))
    elif kind in _SEARCHES:
        note(conversation, "tool_history", path)
    elif kind == "mcp_call":
        _read_remote_call(turns, item, path)
    elif isinstance(kind, str) and ("call" in kind or kind.startswith(("mcp_", "program"))):
        note(conversation, "built_in_tools", path)
    else:
        raise UnsupportedParameter(
            f"'{path}' is of the type '{str(kind)[:40]}', which cannot be passed on.", param=path
        )


def _read_message(turns: _MessagesRead, item: Object, path: str) -> None:
    """Some clients write the messages of a chat among the items."""
    word = text(item.get("role"), f"{path}.role")
    if word == "tool":
        said = {"type": "function_call_output", "call_id": item.get("tool_call_id"), "output": item.get("content")}
        turns.results().append(_result(turns.conversation, said, path))
        return
    if word not in _ROLES:
        raise BadRequest(f"'{path}.role' must be one of {', '.join(_ROLES)}.", param=f"{path}.role")
    role = _ROLES[word]
    content = content_of(turns.conversation, item.get("content"), f"{path}.content")
    if role == "assistant":
        content = [part for part in content if not isinstance(part, TextPart) or part.text]
        calls = item.get("tool_calls")
        for at, call in enumerate(calls if isinstance(calls, list) else ()):
            content.append(call_of(turns.conversation, call, f"{path}.tool_calls[{at}]"))
    parts = turns.message(role)
    if role == "assistant" and parts and isinstance(parts[-1], TextPart) and content:
        parts.append(TextPart(text=_BREAK))  # another message of the same turn
    parts.extend(content)


def content_of(conversation: Conversation, content: object, path: str) -> list[Part]:
    if isinstance(content, str):
        return [TextPart(text=content)]
    if content is None:
        return []
    return [_part(conversation, one, f"{path}[{at}]") for at, one in enumerate(array(content, path))]


def _part(conversation: Conversation, one: object, path: str) -> Part:
    if isinstance(one, str):
        return TextPart(text=one)
    part = object_of(one, path)
    kind = part.get("type", "input_text")
    if kind in _TEXTS:
        citations = citations_of(part.get("annotations"))
        if citations:
            note(conversation, "citations", f"{path}.annotations")
        cache = read_cache_mark(conversation, part, path)
        return TextPart(text=text(part.get("text"), f"{path}.text"), citations=citations, cache=cache)
    if kind == "refusal":
        return Refusal(text=text(part.get("refusal"), f"{path}.refusal"))
    if kind in ("input_image", "image_url"):
        return _image(conversation, part, path)
    if kind in ("input_file", "file"):
        inner = part.get("file")
        return read_file(conversation, inner if isinstance(inner, dict) else part, path)
    if kind == "input_audio":
        inner = part.get("input_audio")
        return read_audio(conversation, inner if isinstance(inner, dict) else part, path)
    raise UnsupportedParameter(f"'{path}' is of the type '{str(kind)[:40]}', which cannot be passed on.", param=path)


def _image(conversation: Conversation, part: Object, path: str) -> MediaPart:
    url = part.get("image_url")
    url = url.get("url") if isinstance(url, dict) else url
    if isinstance(url, str):
        image = read_url(conversation, "image", url, path)
    else:
        image = MediaPart(kind="image", file_id=text(part.get("file_id"), f"{path}.image_url"))
        note(conversation, "file_ids", path)
    image.detail = part["detail"] if isinstance(part.get("detail"), str) else ""
    return image


def _call(conversation: Conversation, item: Object, path: str) -> ToolCall:
    own_id, opaque = id_without(_call_id(item, path))
    namespace = item.get("namespace")
    name = flat_name(namespace if isinstance(namespace, str) else "", text(item.get("name"), f"{path}.name"))
    if item["type"] == "custom_tool_call":
        note(conversation, "custom_tools", path)
        words = text(item.get("input", ""), f"{path}.input")
        return ToolCall(id=own_id, name=name, arguments=words, is_custom=True, opaque=opaque)
    note(conversation, "tools", path)
    return ToolCall(id=own_id, name=name, arguments=chunks.arguments_of(item), opaque=opaque)


def _call_id(item: Object, path: str) -> str:
    call_id = item.get("call_id") or item.get("id")
    return text(call_id, f"{path}.call_id")


def _read_update(conversation: Conversation, item: Object, path: str) -> None:
    """What holds from here on is what the answer is asked for."""
    reasoning, settings = item.get("reasoning"), item.get("text")
    if isinstance(reasoning, dict):
        read_effort(conversation, reasoning.get("effort"), f"{path}.reasoning.effort")
    if isinstance(settings, dict):
        read_output_form(conversation, settings.get("format"), f"{path}.text.format")


def _result(conversation: Conversation, item: Object, path: str) -> ToolResult:
    output = item.get("output")
    if item["type"] == "shell_call_output" and isinstance(output, list):
        parts: list[TextPart | MediaPart] = [TextPart(text=_printed(output))]
    elif isinstance(output, dict):  # of clients that tell success beside the words
        words = output.get("content")
        parts = [TextPart(text=words if isinstance(words, str) else chunks.encode(output).decode())]
    else:
        found = content_of(conversation, output, f"{path}.output")
        parts = [part for part in found if isinstance(part, TextPart | MediaPart)]
    if any(isinstance(part, MediaPart) for part in parts):
        note(conversation, "tool_result_media", f"{path}.output")
    return ToolResult(
        id=id_without(_call_id(item, path))[0],
        parts=parts,
        is_custom=item["type"] == "custom_tool_call_output",
        is_error=item.get("status") == "failed",
    )


def _printed(outputs: list[Any]) -> str:
    """What commands printed, and how each ended."""
    said: list[str] = []
    for one in outputs:
        if not isinstance(one, dict):
            continue
        said += [one[name] for name in ("stdout", "stderr") if isinstance(one.get(name), str) and one[name]]
        outcome = one.get("outcome")
        if isinstance(outcome, dict):
            code = outcome.get("exit_code")
            said.append("(timed out)" if outcome.get("type") == "timeout" else f"(exit code {code})")
    return "\n".join(said)


def _read_remote_call(turns: _MessagesRead, item: Object, path: str) -> None:
    """A call of a tool on another server, which the vendor made: a call and its result like any other."""
    call = _call(turns.conversation, {**item, "call_id": item.get("id"), "namespace": item.get("server_label")}, path)
    failed = item.get("error")
    said = failed if failed is not None else item.get("output")
    words = said if isinstance(said, str) else "" if said is None else chunks.encode(said).decode()
    turns.assistant().append(call)
    result = ToolResult(id=call.id, name=call.name, parts=[TextPart(text=words)], is_error=failed is not None)
    turns.results().append(result)


def _told_by_agent(conversation: Conversation, item: Object, path: str) -> list[Part]:
    """What one agent tells another. Its encrypted parts are words as a model of another format wrote them; those that
    OpenAI's own models wrote can be read there only."""
    names = [item[name] for name in ("author", "recipient") if isinstance(item.get(name), str)]
    parts: list[Part] = [TextPart(text=f"Message from {' to '.join(names)}:")] if names else []
    content = item.get("content")
    for at, one in enumerate(content if isinstance(content, list) else [content]):
        hidden = one.get("encrypted_content") if isinstance(one, dict) else None
        if not isinstance(hidden, str):
            parts += content_of(conversation, [one], f"{path}.content") if one is not None else []
        elif hidden.startswith(_ENCRYPTED):
            note(conversation, "state", f"{path}.content[{at}]")
        else:
            parts.append(TextPart(text=hidden))
    return parts


def _read_found_tools(turns: _MessagesRead, item: Object, path: str) -> None:
    """Tools that the caller's search found may be called from now on."""
    known = len(turns.conversation.tools)
    read_tools(turns.conversation, item.get("tools"), f"{path}.tools")
    names = ", ".join(tool.name for tool in turns.conversation.tools[known:])
    result = ToolResult(
        id=_call_id(item, path), parts=[TextPart(text=f"Found: {names}" if names else "Found nothing.")]
    )
    turns.results().append(result)

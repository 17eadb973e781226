"""Blocks of Anthropic's in a chat: some clients write them there for models of that name (Cursor's agent does)."""

from tollhouse.core.conversation import Conversation, MediaPart, Part, TextPart, ToolCall, ToolResult
from tollhouse.core.features import note
from tollhouse.core.opaque import id_without
from tollhouse.core.provider_json import encode
from tollhouse.formats.openai.words.media import read_file, read_url
from tollhouse.formats.openai.words.members import Object, array, object_of, text


def read_block(conversation: Conversation, kind: object, block: Object, path: str) -> Part | None:
    """None: a part of another type. Raises BadRequest."""
    if kind in ("image", "document"):
        return _medium(conversation, str(kind), block, path)
    if kind == "tool_use":
        note(conversation, "tools", path)
        own_id, opaque = id_without(text(block.get("id"), f"{path}.id"))
        arguments = encode(block.get("input") or {}).decode()
        return ToolCall(id=own_id, name=text(block.get("name"), f"{path}.name"), arguments=arguments, opaque=opaque)
    return _result(conversation, block, path) if kind == "tool_result" else None


def _result(conversation: Conversation, block: Object, path: str) -> ToolResult:
    content = block.get("content")
    parts: list[TextPart | MediaPart] = []
    if isinstance(content, str):
        parts.append(TextPart(text=content))
    for at, one in enumerate(array(content, f"{path}.content") if isinstance(content, list) else ()):
        place = f"{path}.content[{at}]"
        inner = object_of(one, place)
        if inner.get("type", "text") == "text":
            parts.append(TextPart(text=text(inner.get("text"), f"{place}.text")))
        else:
            parts.append(_medium(conversation, str(inner.get("type")), inner, place))
            note(conversation, "tool_result_media", place)
    own_id = id_without(text(block.get("tool_use_id"), f"{path}.tool_use_id"))[0]
    return ToolResult(id=own_id, parts=parts, is_error=block.get("is_error") is True)


def _medium(conversation: Conversation, kind: str, block: Object, path: str) -> MediaPart:
    source = object_of(block.get("source"), f"{path}.source")
    media_type = source.get("media_type")
    held = source.get("type") == "base64"
    url = source.get("data") if held else source.get("url")
    whole = f"data:{media_type};base64,{text(url, f'{path}.source.data')}" if held else text(url, f"{path}.source.url")
    if kind == "image":
        return read_url(conversation, "image", whole, path)
    title = block.get("title")
    return read_file(conversation, {"file_data": whole, "filename": title if isinstance(title, str) else ""}, path)

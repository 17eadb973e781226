"""Blocks of content as parts in core words."""

from collections.abc import Callable
from typing import Final

from msgspec import Raw

from tollhouse.core.conversation import (
    CacheMark,
    Citation,
    Conversation,
    MediaPart,
    Opaque,
    Part,
    Reasoning,
    TextPart,
    ToolCall,
    ToolResult,
)
from tollhouse.core.failure import BadRequest
from tollhouse.core.features import note
from tollhouse.core.opaque import id_without, opened
from tollhouse.core.provider_json import Object, encode
from tollhouse.formats.anthropic.tool_changes import CHANGES
from tollhouse.formats.anthropic.wire import REDACTED, TOOL_FAILED, TOOL_RESULT_ENDING, UNSIGNED, WIRE

_ReadBlock = Callable[[Conversation, Object, str], list[Part]]
_URLS: Final = {"image": "image_urls", "file": "file_urls"}


def parts_of(conversation: Conversation, content: object, path: str) -> list[Part]:
    """path: of the content in the caller's body. Raises BadRequest for what is no content."""
    if isinstance(content, str):
        return [TextPart(text=content)] if content else []
    if not isinstance(content, list):
        raise BadRequest(f"'{path}' must be a string or an array of content blocks.", param=path)
    parts: list[Part] = []
    for at, block in enumerate(content):
        parts += _part(conversation, block, f"{path}[{at}]")
    return parts


def cache_of(conversation: Conversation, holder: Object, path: str) -> CacheMark:
    mark = holder.get("cache_control")
    if not isinstance(mark, dict):
        return ""
    note(conversation, "cache_marks", f"{path}.cache_control")
    return "1h" if mark.get("ttl") == "1h" else "5m"


def citation_of(raw: object) -> Citation:
    """What is cited, in the words that formats share, and as Anthropic has it."""
    said = raw if isinstance(raw, dict) else {}
    title = said.get("title") or said.get("document_title")
    url = said.get("url") or said.get("source")
    quoted = said.get("cited_text")
    return Citation(
        format=WIRE,
        raw=Raw(encode(raw)),
        url=url if isinstance(url, str) else "",
        title=title if isinstance(title, str) else "",
        quoted=quoted if isinstance(quoted, str) else "",
    )


def _part(conversation: Conversation, block: object, path: str) -> list[Part]:
    if isinstance(block, str):
        return [TextPart(text=block)]
    if not isinstance(block, dict):
        raise BadRequest(f"'{path}' must be a content block.", param=path)
    kind = block.get("type")
    read = _BLOCKS.get(kind) if isinstance(kind, str) else None
    if read is not None:
        return read(conversation, block, path)
    if kind is None and isinstance(block.get("text"), str):
        return _text(conversation, block, path)
    note(conversation, _feature_of(str(kind)), path)
    return []


def _feature_of(kind: str) -> str:
    if kind == "container_upload":
        return "file_ids"
    if kind in ("server_tool_use", "mcp_tool_use") or kind.endswith(TOOL_RESULT_ENDING):
        return "tool_history"
    return "other"


def _text(conversation: Conversation, block: Object, path: str) -> list[Part]:
    text, cited = block.get("text"), block.get("citations")
    if not isinstance(text, str):
        raise BadRequest(f"'{path}.text' must be a string.", param=f"{path}.text")
    citations = tuple(map(citation_of, cited)) if isinstance(cited, list) else ()
    if citations:
        note(conversation, "citations", f"{path}.citations")
    return [TextPart(text=text, citations=citations, cache=cache_of(conversation, block, path))]


def _image(conversation: Conversation, block: Object, path: str) -> list[Part]:
    part = MediaPart(kind="image", cache=cache_of(conversation, block, path))
    return [_with_source(conversation, part, block.get("source"), path)]


def _document(conversation: Conversation, block: Object, path: str) -> list[Part]:
    source, title, about, cited = (block.get(name) for name in ("source", "title", "context", "citations"))
    citations = isinstance(cited, dict) and cited.get("enabled") is True
    if citations:
        note(conversation, "citations", f"{path}.citations")
    cache = cache_of(conversation, block, path)
    name = title if isinstance(title, str) else ""
    before: list[Part] = [TextPart(text=about)] if isinstance(about, str) and about else []
    if isinstance(source, dict) and source.get("type") == "content":
        if name:
            before.append(TextPart(text=name))
        return before + parts_of(conversation, source.get("content"), f"{path}.source.content")
    part = MediaPart(kind="file", name=name, citations=citations, cache=cache)
    return [*before, _with_source(conversation, part, source, path)]


def _with_source(conversation: Conversation, part: MediaPart, source: object, path: str) -> MediaPart:
    said = source if isinstance(source, dict) else {}
    kind, media_type = said.get("type"), said.get("media_type")
    name = {"base64": "data", "url": "url", "file": "file_id", "text": "data"}.get(str(kind))
    value = said.get(name) if name is not None else None
    if not isinstance(value, str):
        raise BadRequest(f"'{path}.source' must name its 'type' and what lies there.", param=f"{path}.source")
    part.media_type = media_type if isinstance(media_type, str) else ""
    if kind == "url":
        part.url = value
        note(conversation, _URLS[part.kind], path)
    elif kind == "file":
        part.file_id = value
        note(conversation, "file_ids", path)
    elif kind == "text":
        part.text, part.media_type = value, part.media_type or "text/plain"
        note(conversation, "files", path)
    else:
        part.data = value
        note(conversation, "images" if part.kind == "image" else "files", path)
    return part


def _search_result(conversation: Conversation, block: Object, path: str) -> list[Part]:
    """A text, for no other format has a place for what a search gave: its title and where it stands come first."""
    found = parts_of(conversation, block.get("content"), f"{path}.content")
    cited = block.get("citations")
    if isinstance(cited, dict) and cited.get("enabled") is True:
        note(conversation, "citations", f"{path}.citations")
    heading = [value for name in ("title", "source") if isinstance(value := block.get(name), str) and value]
    texts = heading + [part.text for part in found if isinstance(part, TextPart)]
    return [TextPart(text="\n".join(texts), cache=cache_of(conversation, block, path))]


def _thinking(conversation: Conversation, block: Object, path: str) -> list[Part]:
    text, signature = block.get("thinking"), block.get("signature")
    opaque = opened(signature, WIRE) if isinstance(signature, str) and signature else UNSIGNED
    return [Reasoning(text=text if isinstance(text, str) else "", opaque=None if opaque == UNSIGNED else opaque)]


def _redacted(conversation: Conversation, block: Object, path: str) -> list[Part]:
    data = block.get("data")
    if not isinstance(data, str) or not data:
        return []
    opaque = opened(data, WIRE)
    return [Reasoning(opaque=Opaque(WIRE, REDACTED + data) if opaque.format == WIRE else opaque)]


def _tool_use(conversation: Conversation, block: Object, path: str) -> list[Part]:
    call_id, name, given = block.get("id"), block.get("name"), block.get("input")
    if not isinstance(call_id, str) or not isinstance(name, str):
        raise BadRequest(f"'{path}' must have an 'id' and a 'name'.", param=path)
    if given is not None and not isinstance(given, dict):
        raise BadRequest(f"'{path}.input' must be an object.", param=f"{path}.input")
    own_id, opaque = id_without(call_id)
    arguments = encode(given or {}).decode()
    cache = cache_of(conversation, block, path)
    return [ToolCall(id=own_id, name=name, arguments=arguments, opaque=opaque, cache=cache)]


def _tool_result(conversation: Conversation, block: Object, path: str) -> list[Part]:
    call_id, content = block.get("tool_use_id"), block.get("content")
    if not isinstance(call_id, str):
        raise BadRequest(f"Missing required parameter: '{path}.tool_use_id'.", param=f"{path}.tool_use_id")
    found = [] if content is None else parts_of(conversation, content, f"{path}.content")
    parts: list[TextPart | MediaPart] = [part for part in found if isinstance(part, TextPart | MediaPart)]
    is_error = block.get("is_error") is True
    if is_error:
        note(conversation, "tool_errors", f"{path}.is_error")
        parts = parts or [TextPart(text=TOOL_FAILED)]
    if any(isinstance(part, MediaPart) for part in parts):
        note(conversation, "tool_result_media", f"{path}.content")
    cache = cache_of(conversation, block, path)
    return [ToolResult(id=id_without(call_id)[0], parts=parts, is_error=is_error, cache=cache)]


def _tool_reference(conversation: Conversation, block: Object, path: str) -> list[Part]:
    """What a search for tools of the caller's own found: all of them have been told to the model."""
    name = block.get("tool_name")
    return [TextPart(text=f"The tool {name} can be called now.")] if isinstance(name, str) else []


def _tool_change(conversation: Conversation, block: Object, path: str) -> list[Part]:
    """Read with the tools."""
    return []


def _compaction(conversation: Conversation, block: Object, path: str) -> list[Part]:
    """What the model made of all that was said before."""
    content = block.get("content")
    return [TextPart(text=content)] if isinstance(content, str) and content else []


_BLOCKS: Final[dict[str, _ReadBlock]] = {
    "compaction": _compaction,
    "text": _text,
    "image": _image,
    "document": _document,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    **dict.fromkeys(CHANGES, _tool_change),
    "tool_reference": _tool_reference,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
}

"""Parts in core words as blocks of content."""

import re
from base64 import b64decode
from collections.abc import Iterable
from typing import Final

from tollhouse.core.conversation import MediaPart, Opaque, Part, Reasoning, Refusal, TextPart, ToolCall, ToolResult
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.provider_json import Object, decode_any
from tollhouse.formats.anthropic.wire import REDACTED, TOOL_FAILED, WIRE

_NOT_IN_AN_ID: Final = re.compile(r"[^A-Za-z0-9_-]")
_PLAIN_TYPES: Final = ("text/", "application/json", "application/xml")


def blocks_of(parts: Iterable[Part]) -> list[Object]:
    """Of one message. Results of tools come first, as the format asks; thoughts that another model signed are left out,
    for they would be refused, and so are texts of blanks alone."""
    blocks = [block for part in parts for block in _blocks(part)]
    results = [block for block in blocks if block["type"] == "tool_result"]
    return results + [block for block in blocks if block["type"] != "tool_result"]


def text_block(part: TextPart) -> list[Object]:
    if not part.text.strip():
        return []
    block: Object = {"type": "text", "text": part.text}
    own = [citation.raw for citation in part.citations if citation.format == WIRE]
    if own:
        block["citations"] = own
    return [_marked(block, part.cache)]


def call_id(text: str) -> str:
    """An id as the format allows it: letters, digits, `_` and `-` alone."""
    return _NOT_IN_AN_ID.sub("_", text) or "call"


def input_of(call: ToolCall) -> Object:
    """The arguments of a call as an object; of a tool that takes text, that text."""
    if call.is_custom:
        return {"input": call.arguments}
    if not call.arguments.strip():
        return {}
    try:
        given = decode_any(call.arguments.encode(errors="replace"))
    except UpstreamBroke:
        return {"INVALID_JSON": call.arguments}
    if given is None:
        return {}
    return given if isinstance(given, dict) else {"input": given}


def thinking_block(text: str, opaque: Opaque) -> Object:
    """Thoughts that Anthropic made, as it wants them back."""
    if opaque.data.startswith(REDACTED):
        return {"type": "redacted_thinking", "data": opaque.data.removeprefix(REDACTED)}
    return {"type": "thinking", "thinking": text, "signature": opaque.data}


def _blocks(part: Part) -> list[Object]:
    if isinstance(part, TextPart):
        return text_block(part)
    if isinstance(part, MediaPart):
        return [_media(part)]
    if isinstance(part, ToolCall):
        block: Object = {"type": "tool_use", "id": call_id(part.id), "name": part.name, "input": input_of(part)}
        return [_marked(block, part.cache)]
    if isinstance(part, ToolResult):
        return [_result(part)]
    if isinstance(part, Reasoning):
        own = part.opaque is not None and part.opaque.format == WIRE
        return [thinking_block(part.text, part.opaque)] if own and part.opaque is not None else []
    assert isinstance(part, Refusal)
    return text_block(TextPart(text=part.text))


def _result(result: ToolResult) -> Object:
    content: list[Object] = []
    for part in result.parts:
        content += text_block(part) if isinstance(part, TextPart) else [_media(part)]
    block: Object = {"type": "tool_result", "tool_use_id": call_id(result.id)}
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        block["content"] = content[0]["text"]
    elif content:
        block["content"] = content
    if result.is_error:
        block["is_error"] = True
        block.setdefault("content", TOOL_FAILED)
    return _marked(block, result.cache)


def _media(part: MediaPart) -> Object:
    source: Object
    if part.url:
        source = {"type": "url", "url": part.url}
    elif part.file_id:
        source = {"type": "file", "file_id": part.file_id}
    elif part.data:
        source = {"type": "base64", "media_type": part.media_type, "data": part.data}
    else:
        source = {"type": "text", "media_type": "text/plain", "data": part.text}
    if part.kind == "image":
        if part.data and not part.media_type:
            source["media_type"] = "image/png"
        return _marked({"type": "image", "source": source}, part.cache)
    if part.data:
        source = _document_source(part)
    block: Object = {"type": "document", "source": source}
    if part.name:
        block["title"] = part.name
    if part.citations:
        block["citations"] = {"enabled": True}
    return _marked(block, part.cache)


def _document_source(part: MediaPart) -> Object:
    """Documents that lie in the body are PDF, or plain text that stands there as it is."""
    if part.media_type.startswith(_PLAIN_TYPES):
        try:
            text = _decoded(part.data)
        except ValueError:
            pass
        else:
            return {"type": "text", "media_type": "text/plain", "data": text}
    return {"type": "base64", "media_type": part.media_type or "application/pdf", "data": part.data}


def _decoded(data: str) -> str:
    """Raises ValueError for what is no text in base64."""
    return b64decode(data, validate=True).decode()


def _marked(block: Object, cache: str) -> Object:
    if cache:
        block["cache_control"] = cache_control(cache)
    return block


def cache_control(cache: str) -> Object:
    return {"type": "ephemeral", "ttl": "1h"} if cache == "1h" else {"type": "ephemeral"}

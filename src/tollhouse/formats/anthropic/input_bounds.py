"""How large the input of a request can be, and its text to count, before anybody has counted a token."""

from typing import Final

import msgspec
from msgspec import Raw

from tollhouse.core.media_tokens import PICTURE_TOKENS
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt
from tollhouse.core.raw_members import UNREAD
from tollhouse.formats.anthropic.blocks import blocks_of

MEDIA_TOKENS: Final = 50_000
"""For each part of media: above what any provider bills for one image, for other formats may be asked for it."""
OWN_TOOL_TOKENS: Final = 4_096
"""What the vendor tells the model of a tool that it has defined, and the caller runs, at the most."""

_PLAIN_TOOLS: Final = frozenset((b'"custom"', b"null"))
_OWN_TOOLS: Final = (b'"bash_', b'"text_editor_', b'"computer_', b'"memory_', b'"browser_toolset_')
"""Tools that the vendor has defined and the caller runs: what they give comes back in the next body."""
_PROMPTS: Final = ("system", "messages", "tools")


def input_bounds(request: ModelRequest) -> InputBounds:
    """Media in the body is taken out of its bytes. What is linked, or lies with the provider, can be of any size."""
    members = request.members
    has_remote_input, size, parts, pictures, files = request.reads_more, request.length, 0, 0, 0
    if "tools" in members:
        hosted, own = _tools(members["tools"])
        has_remote_input, size = has_remote_input or hosted, size + own * OWN_TOOL_TOKENS
    for name in ("messages", "system"):
        raw = members.get(name)
        if raw is None:
            continue
        try:
            value = msgspec.json.decode(raw)
        except UNREAD:
            has_remote_input = True
            continue
        for block in blocks_of(value):
            if block.size == "text":
                continue
            parts += 1
            has_remote_input = has_remote_input or block.size == "any"
            if block.size == "picture":
                pictures += 1
            else:
                files += 1
            if block.inline:
                size -= len(block.inline.encode(errors="replace")) + 2  # with its quotes
    return InputBounds(
        bytes=max(size, 0),
        parts=parts,
        media=parts * MEDIA_TOKENS,
        has_remote_input=has_remote_input,
        image_tokens=pictures * PICTURE_TOKENS,
        file_tokens=files * PICTURE_TOKENS,
    )


def prompt_of(request: ModelRequest, asked: InputBounds) -> Prompt:
    """The members that become the prompt, as they were written, without media that lies in them as base64.

    The JSON around the texts is left in: models are asked in a form of about the same length.
    """
    members = request.members
    given = [name for name in _PROMPTS if name in members]
    texts = [_without_media(members[name]) if asked.parts else bytes(members[name]) for name in given]
    for name in ("output_config", "output_format"):
        if name in members and b"schema" in bytes(members[name]):
            texts.append(bytes(members[name]))
    return Prompt(b"\n".join(texts).decode(), 0)


def _tools(raw: Raw) -> tuple[bool, int]:
    """Whether any tool is, or may be, one that the provider runs; and how many are ones that the vendor has defined."""
    if bytes(memoryview(raw)[:5]) in (b"null", b"false"):
        return False, 0
    try:
        tools = msgspec.json.decode(raw, type=list[dict[str, Raw]])
    except UNREAD:
        return True, 0
    kinds = [bytes(tool["type"]) if "type" in tool else b"null" for tool in tools]
    strange = [kind for kind in kinds if kind not in _PLAIN_TOOLS]
    own = [kind for kind in strange if kind.startswith(_OWN_TOOLS)]
    return len(own) < len(strange), len(own)


def _without_media(raw: Raw) -> bytes:
    try:
        value = msgspec.json.decode(raw)
    except UNREAD:
        return bytes(raw)
    inline = [block for block in blocks_of(value) if block.inline]
    for block in inline:
        block.holder[block.name] = ""
    return msgspec.json.encode(value) if inline else bytes(raw)

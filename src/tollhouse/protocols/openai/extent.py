"""How large the input of a request can be, before anybody has counted a token."""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from tollhouse.core.members import Members
from tollhouse.protocols.openai.media import PICTURE_TOKENS, Medium, media, sound_tokens
from tollhouse.protocols.openai.request import Request

MEDIA_TOKENS: Final = 50_000
"""For each part of media: above what any provider bills for one image at full detail (gpt-4o-mini: 48,169)."""
BYTES_PER_SOUND_TOKEN: Final = 16
"""Of base64. The slowest sound in use has 1,000 bytes a second, and no provider hears more than 32 tokens in one."""

_SEEN_AFAR_TOKENS: Final = 85  # what a picture at `"detail": "low"` counts for where nobody reports it

_ELSEWHERE: Final = ("previous_response_id", "conversation", "prompt")
_SEARCHES: Final = ("web_search_options", "search_parameters", "enable_search", "plugins")
"""What has a provider read more than it was sent, in the words of OpenAI, xAI, Qwen and OpenRouter."""
_OWN_TOOLS: Final = frozenset((b'"function"', b'"custom"', b'"local_shell"', b'"apply_patch"'))
"""Tools that the caller runs: what they give comes back in the next body."""

_UNREAD: Final = (msgspec.DecodeError, RecursionError)  # as 1e999, which is JSON, and no number of Python's


class Extent(Struct, frozen=True):
    """`bytes` of text with its JSON, `parts` of media in or beside it with so many tokens at most (`media`),
    `elsewhere`: some is not in the body, or is of a kind that no size bounds. `seen`, `heard`, `looked_up`: tokens that
    pictures, sound and anything else count for where nobody reports them."""

    bytes: int = 0
    parts: int = 0
    media: int = 0
    elsewhere: bool = False
    seen: int = 0
    heard: int = 0
    looked_up: int = 0


def extent(request: Request) -> Extent:
    """Media in the body is taken out of its bytes. What is linked, or lies with the provider, can be of any size."""
    members = request.members
    elsewhere = _reads_more(request.operation == "responses", members)
    size, parts, tokens = request.length, 0, 0
    counted = {"picture": 0, "sound": 0, "any": 0}
    for name in ("messages", "input"):
        raw = members.get(name)
        if raw is None:
            continue
        try:
            value = msgspec.json.decode(raw)
        except _UNREAD:
            elsewhere = True
            continue
        for found in media(value):
            parts += 1
            most = MEDIA_TOKENS
            if found.inline:
                size -= len(found.text.encode()) + 2  # with its quotes
                if found.kind == "sound":
                    most = max(most, len(found.text) // BYTES_PER_SOUND_TOKEN)
            tokens += most
            elsewhere = elsewhere or found.kind == "any"
            counted[found.kind] += _counts(found)
    seen, heard, looked_up = counted.values()
    return Extent(max(size, 0), parts, tokens, elsewhere, seen, heard, looked_up)


def _counts(found: Medium) -> int:
    if found.kind == "sound":
        return sound_tokens(len(found.text))
    return _SEEN_AFAR_TOKENS if found.holder.get("detail") == "low" else PICTURE_TOKENS


def _reads_more(keeps_state: bool, members: Members) -> bool:
    """Whether the provider adds to the input: what it kept, or what a tool of its own finds."""
    if any(_given(members.get(name)) for name in (_ELSEWHERE if keeps_state else _SEARCHES)):
        return True
    tools = members.get("tools")
    return tools is not None and _given(tools) and _hosted(tools)


def _given(raw: Raw | None) -> bool:
    return raw is not None and bytes(memoryview(raw)[:5]) not in (b"null", b"false")


def _hosted(raw: Raw) -> bool:
    """Whether any tool is, or may be, one that the provider runs."""
    try:
        tools = msgspec.json.decode(raw, type=list[dict[str, Raw]])
    except (msgspec.DecodeError, RecursionError):
        return True
    return any(
        "type" not in tool
        or any(name.casefold() == "type" and bytes(kind) not in _OWN_TOOLS for name, kind in tool.items())
        for tool in tools
    )

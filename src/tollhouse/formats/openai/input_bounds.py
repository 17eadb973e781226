"""How large the input of a request can be, before anybody has counted a token."""

from typing import Final

import msgspec

from tollhouse.core.media_tokens import PICTURE_TOKENS, sound_tokens
from tollhouse.core.model_request import InputBounds, ModelRequest
from tollhouse.core.raw_members import UNREAD
from tollhouse.formats.openai.media import Medium, media
from tollhouse.formats.openai.parts import Form, form

MEDIA_TOKENS: Final = 50_000
"""For each part of media: above what any provider bills for one image at full detail (gpt-4o-mini: 48,169)."""
BYTES_PER_SOUND_TOKEN: Final = 16
"""Of base64. The slowest sound in use has 1,000 bytes a second, and no provider hears more than 32 tokens in one."""

_SEEN_AFAR_TOKENS: Final = 85  # what a picture at `"detail": "low"` counts for where nobody reports it


def input_bounds(request: ModelRequest) -> InputBounds:
    """Media in the body is taken out of its bytes. What is linked, or lies with the provider, can be of any size."""
    members = request.members
    has_remote_input = request.reads_more
    size, parts, tokens = request.length, 0, 0
    if request.prompts > 1 and "suffix" in members:
        size += (request.prompts - 1) * len(members["suffix"])  # it is read after each prompt
    counted = {"picture": 0, "sound": 0, "any": 0}
    for name in ("messages", "input"):
        raw = members.get(name)
        if raw is None:
            continue
        try:
            value = msgspec.json.decode(raw)
        except UNREAD:
            has_remote_input = True
            continue
        made_of = form(value)
        if made_of is Form.TEXT:
            continue
        has_remote_input = has_remote_input or made_of is Form.UNKNOWN
        for found in media(value):
            parts += 1
            maximum = MEDIA_TOKENS
            if found.inline:
                size -= len(found.text.encode()) + 2  # with its quotes
                if found.kind == "sound":
                    maximum = max(maximum, len(found.text) // BYTES_PER_SOUND_TOKEN)
            tokens += maximum
            has_remote_input = has_remote_input or found.kind == "any"
            counted[found.kind] += _counts(found)
    image_tokens, audio_tokens, file_tokens = counted.values()
    there = request.tools_there
    return InputBounds(
        max(size, 0),
        parts,
        tokens,
        has_remote_input or there > 0,
        image_tokens,
        audio_tokens,
        file_tokens,
        remote_tools=0 if has_remote_input else there,
    )


def _counts(found: Medium) -> int:
    if found.kind == "sound":
        return sound_tokens(len(found.text))
    return _SEEN_AFAR_TOKENS if found.holder.get("detail") == "low" else PICTURE_TOKENS

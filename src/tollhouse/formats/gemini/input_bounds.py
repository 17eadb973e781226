"""How large the input of a request can be, before anybody has counted a token; and its text, to be counted."""

from collections.abc import Iterator, Sequence
from typing import Final, Literal

import msgspec
from msgspec import Raw, Struct

from tollhouse.core.media_tokens import PICTURE_TOKENS, sound_tokens
from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt
from tollhouse.core.provider_json import Object
from tollhouse.core.raw_members import UNREAD
from tollhouse.formats.gemini.contents import BESIDE, DATA, all_parts, object_under, objects, text_under
from tollhouse.formats.gemini.parameters import FUNCTION, OWN_TOOLS
from tollhouse.formats.gemini.spelling import under, unknown

MEDIA_TOKENS: Final = 50_000
"""For each part of media: above what any provider bills for one image at full detail."""
BYTES_PER_SOUND_TOKEN: Final = 16
"""Of base64. The slowest sound in use has 1,000 bytes a second, and no provider hears more than 32 tokens in one."""

_PARTS: Final = DATA | BESIDE
_EVEN_SOUNDS: Final = frozenset(("wav", "x-wav", "wave", "mp3", "mpeg", "pcm", "l16"))


class FoundMedium(Struct, frozen=True):
    """kind: a picture, sound whose length its bytes bound, or what may be of any size. data: where it stands in
    `holder` as base64; empty: it is elsewhere."""

    kind: Literal["picture", "sound", "any"]
    holder: Object
    data: str


def input_bounds(request: ModelRequest) -> InputBounds:
    """Media in the body is taken out of its bytes. What is linked, or lies with the provider, can be of any size."""
    members = request.members
    has_remote_input = under(members, "cachedContent") is not None or _has_hosted_tools(request)
    raws = [under(members, name) for name in ("contents", "systemInstruction")]
    return bounds_of(request, [raw for raw in raws if raw is not None], has_remote_input=has_remote_input)


def bounds_of(request: ModelRequest, raws: Sequence[Raw], *, has_remote_input: bool = False) -> InputBounds:
    """Of a request whose contents these are."""
    has_remote_input = has_remote_input or request.reads_more
    size, parts, tokens = request.length, 0, 0
    counted = {"picture": 0, "sound": 0, "any": 0}
    for raw in raws:
        value = _decoded(raw)
        if value is None:
            has_remote_input = True
            continue
        has_remote_input = has_remote_input or not all(map(_is_plain, all_parts(value)))
        for found in media(value):
            parts += 1
            maximum = MEDIA_TOKENS
            size -= len(found.data.encode())
            if found.kind == "sound":
                maximum = max(maximum, len(found.data) // BYTES_PER_SOUND_TOKEN)
            tokens += maximum
            has_remote_input = has_remote_input or found.kind == "any"
            counted[found.kind] += sound_tokens(len(found.data)) if found.kind == "sound" else PICTURE_TOKENS
    image_tokens, audio_tokens, file_tokens = counted.values()
    return InputBounds(max(size, 0), parts, tokens, has_remote_input, image_tokens, audio_tokens, file_tokens)


def prompt_of(request: ModelRequest, asked: InputBounds) -> Prompt:
    """The members that become the prompt, as they were written, without media that lies in them. The JSON around the
    texts is left in: models are asked in a form of about the same length."""
    texts = []
    for name in ("systemInstruction", "contents", "tools"):
        raw = under(request.members, name)
        if raw is not None:
            texts.append(_without_media(raw) if asked.parts and name != "tools" else bytes(raw))
    config = under(request.members, "generationConfig")
    if config is not None and b"chema" in bytes(config):
        texts.append(bytes(config))
    return Prompt(b"\n".join(texts).decode(), 0)


def media(value: object) -> Iterator[FoundMedium]:
    """Every medium in contents."""
    for part in all_parts(value):
        inline = under(part, "inlineData")
        if isinstance(inline, dict):
            data = text_under(inline, "data")
            kind, _, form = text_under(inline, "mimeType").lower().partition(";")[0].partition("/")
            if kind == "image":
                yield FoundMedium("picture", inline, data)
            else:
                yield FoundMedium("sound" if kind == "audio" and form in _EVEN_SOUNDS else "any", inline, data)
        elif under(part, "fileData") is not None:
            linked = object_under(part, "fileData")
            is_picture = text_under(linked, "mimeType").lower().startswith("image/")  # and is read as nothing else
            yield FoundMedium("picture" if is_picture else "any", linked, "")


def _is_plain(part: Object) -> bool:
    """Whether a part is bounded by its bytes, or is a medium, which is judged for itself."""
    return not unknown(part, _PARTS) and under(part, "toolCall") is None and under(part, "toolResponse") is None


def _has_hosted_tools(request: ModelRequest) -> bool:
    """Whether any tool is, or may be, one that the provider runs."""
    raw = under(request.members, "tools")
    if raw is None or bytes(memoryview(raw)[:4]) == b"null":
        return False
    tools = objects(_decoded(raw))
    if not tools:
        return bytes(raw) != b"[]"
    for tool in tools:
        if unknown(tool, OWN_TOOLS):
            return True
        declared = objects(under(tool, "functionDeclarations"))
        if any(unknown(one, FUNCTION) for one in declared):
            return True
    return False


def _decoded(raw: Raw) -> object:
    try:
        value: object = msgspec.json.decode(raw)
    except UNREAD:
        return None
    return value


def _without_media(raw: Raw) -> bytes:
    value = _decoded(raw)
    inline = [found for found in media(value) if found.data]
    for found in inline:
        found.holder["data"] = ""
    return msgspec.json.encode(value) if inline else bytes(raw)

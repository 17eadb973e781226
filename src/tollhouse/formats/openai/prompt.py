"""The text a model is asked to read: what is counted where a provider reports no usage."""

from typing import Final

import msgspec
from msgspec import Raw

from tollhouse.core.model_request import InputBounds, ModelRequest, Prompt
from tollhouse.core.raw_members import UNREAD
from tollhouse.formats.openai.media import media

_PROMPTS: Final = ("instructions", "messages", "input", "prompt", "suffix", "tools", "functions")
_BY_IDS: Final = ("input", "prompt")
_FORMS: Final = ("response_format", "text")  # read by the model only where they hold a schema


def prompt_of(request: ModelRequest, asked: InputBounds) -> Prompt:
    return Prompt(prompt(request, has_media=asked.parts > 0), token_ids(request))


def prompt(request: ModelRequest, *, has_media: bool = True) -> str:
    """The members that become the prompt, as they were written, without media that lies in them as base64. has_media:
    False saves looking for some.

    The JSON around the texts is left in: models are asked in a form of about the same length. Token ids are no text.
    """
    members = request.members
    given = [name for name in _PROMPTS if name in members and not (name in _BY_IDS and _ids(members[name]))]
    texts = [_without_media(members[name]) if has_media else bytes(members[name]) for name in given]
    texts += [bytes(members[name]) for name in _FORMS if name in members and b"schema" in bytes(members[name])]
    return b"\n".join(texts).decode()


def token_ids(request: ModelRequest) -> int:
    """How many tokens a prompt has that was given as such: one for each id, however many digits it has."""
    return sum(_ids(request.members[name]) for name in _BY_IDS if name in request.members)


def _ids(raw: Raw) -> int:
    try:
        found = msgspec.json.decode(raw, type=list[int | list[int]])
    except UNREAD:
        return 0
    return sum(len(one) if isinstance(one, list) else 1 for one in found)


def _without_media(raw: Raw) -> bytes:
    try:
        value = msgspec.json.decode(raw)
    except UNREAD:
        return bytes(raw)
    inline = [found for found in media(value) if found.inline]
    for found in inline:
        found.holder[found.name] = ""
    return msgspec.json.encode(value) if inline else bytes(raw)

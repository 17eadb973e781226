"""By far the most frequent event of a chat's stream, at the speed of a typed decoder: one choice says a bit of text.

Any other form is None, and is read with care.
"""

from typing import NamedTuple

from msgspec import DecodeError, Raw, Struct, json

from tollhouse.core.sse import Event

_ANY = Raw(b"null")


class _TextDelta(Struct, forbid_unknown_fields=True):
    content: str
    role: str | None = None
    refusal: None = None
    tool_calls: None = None
    function_call: None = None
    reasoning_content: None = None
    reasoning: None = None


class _TextChoice(Struct, forbid_unknown_fields=True):
    delta: _TextDelta
    index: int = 0
    logprobs: None = None
    finish_reason: None = None
    native_finish_reason: None = None


class _TextChunk(Struct, forbid_unknown_fields=True):
    object: str
    choices: list[_TextChoice]
    id: Raw = _ANY
    created: Raw = _ANY
    model: Raw = _ANY
    usage: None = None
    service_tier: Raw = _ANY
    system_fingerprint: Raw = _ANY
    obfuscation: Raw = _ANY
    provider: Raw = _ANY


class PlainText(NamedTuple):
    text: str
    choice: int


_decode = json.Decoder(_TextChunk).decode


def plain_text(event: Event) -> PlainText | None:
    name, data = event
    if name or not data:
        return None
    try:
        if not data.isascii():
            data.decode()
        chunk = _decode(data)
    except (UnicodeDecodeError, DecodeError, RecursionError):
        return None
    if len(chunk.choices) != 1 or chunk.object != "chat.completion.chunk":
        return None
    choice = chunk.choices[0]
    return PlainText(choice.delta.content, choice.index)

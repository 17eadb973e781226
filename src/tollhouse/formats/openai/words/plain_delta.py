"""By far the most frequent event of a response's stream, at the speed of a typed decoder: a bit of text."""

from msgspec import DecodeError, Struct, json

from tollhouse.core.sse import Event

_KIND = b"response.output_text.delta"
_BEGIN = b'{"type":"response.output_text.delta"'


class PlainDelta(Struct):
    type: str
    delta: str
    output_index: int
    content_index: int
    logprobs: list[None] = []
    error: None = None


_decode = json.Decoder(PlainDelta).decode


def plain_delta(event: Event) -> PlainDelta | None:
    """None: an event of another form, which is read with care."""
    name, data = event
    if name != _KIND and (name or not data.startswith(_BEGIN)):
        return None
    try:
        if not data.isascii():
            data.decode()
        delta = _decode(data)
    except (UnicodeDecodeError, DecodeError, RecursionError):
        return None
    return delta if delta.type == "response.output_text.delta" and delta.content_index >= 0 else None

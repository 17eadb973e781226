"""Pictures and sound of an answer, as a page shows them: within the page, by data of their own."""

from base64 import b64encode
from typing import Final, Literal

import msgspec
from msgspec import Struct

from tollhouse.console.call_formats import CallFormat

BYTES_MAX: Final = 4 * 1024 * 1024
"""Of an answer: what is larger is not shown."""
PIECES_MAX: Final = 10
_PICTURES: Final = (("iVBOR", "image/png"), ("/9j/", "image/jpeg"), ("UklGR", "image/webp"), ("R0lGOD", "image/gif"))
"""By how their Base64 begins."""
_SOUNDS: Final = (
    (b"ID3", "audio/mpeg"),
    (b"\xff", "audio/mpeg"),
    (b"RIFF", "audio/wav"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
)


class PageMedium(Struct, frozen=True):
    """`source`: a `data:` address."""

    kind: Literal["image", "audio"]
    source: str


class _Image(Struct):
    b64_json: str = ""


class _Images(Struct):
    data: list[_Image] = []


_images: Final = msgspec.json.Decoder(_Images)


def media_of(call_format: CallFormat, answer: bytes) -> tuple[PageMedium, ...]:
    """Nothing where there is none that a page can show: a whole answer is shown as text then."""
    if call_format.shows == "text" or len(answer) > BYTES_MAX:
        return ()
    if call_format.shows == "sound":
        kind = next((kind for begin, kind in _SOUNDS if answer.startswith(begin)), "")
        return (PageMedium("audio", f"data:{kind};base64,{b64encode(answer).decode()}"),) if kind else ()
    try:
        found = _images.decode(answer).data
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ()
    return tuple(medium for one in found[:PIECES_MAX] if (medium := _picture(one.b64_json)) is not None)


def _picture(written: str) -> PageMedium | None:
    kind = next((kind for begin, kind in _PICTURES if written.startswith(begin)), "")
    return PageMedium("image", f"data:{kind};base64,{written}") if kind else None

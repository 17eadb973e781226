"""Pictures, sound and rankings made from nothing but what was asked: small, valid, and the same each time."""

import hashlib
import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

from tollhouse.core.failure import BadRequest

CHARACTERS_A_SECOND: Final = 15
"""Of speech."""
SAMPLES_A_SECOND: Final = 24_000
_BYTES_A_SECOND: Final = 2 * SAMPLES_A_SECOND
_PIECE_BYTES: Final = 4_800  # a tenth of a second
_MP3_HEAD: Final = b"\xff\xfb\x90\x00"  # MPEG 1, layer III, 128 kbit/s, 44.1 kHz
_MP3_FRAME: Final = _MP3_HEAD + bytes(413)
_MP3_FRAMES_A_SECOND: Final = 44_100 / 1_152
_WORD_CHARACTERS_MIN: Final = 3


def png(seed: str, width: int, height: int) -> bytes:
    """One colour, which follows from the seed."""
    colour = hashlib.sha256(seed.encode(errors="surrogatepass")).digest()[:3]
    row = b"\x00" + bytes(-(-width // 8))
    head = struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0)
    rows = zlib.compress(row * height, 6)
    chunks = ((b"IHDR", head), (b"PLTE", colour), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(named: tuple[bytes, bytes]) -> bytes:
    name, data = named
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def sound(seed: str, seconds: float, form: str) -> Iterator[bytes]:
    """The pieces of a sound in this format. Raises BadRequest for one that is not made here."""
    if form not in ("mp3", "wav", "pcm"):
        raise BadRequest(f"The simulator gives mp3, wav and pcm, not {form[:20]!r}.", param="response_format")
    return _mp3(seconds) if form == "mp3" else _samples(seed, seconds, form)


def _mp3(seconds: float) -> Iterator[bytes]:
    frames = max(1, round(seconds * _MP3_FRAMES_A_SECOND))
    for at in range(0, frames, 4):
        yield _MP3_FRAME * min(4, frames - at)


def _samples(seed: str, seconds: float, form: str) -> Iterator[bytes]:
    size = 2 * max(1, round(seconds * SAMPLES_A_SECOND))
    if form == "wav":
        yield wav_head(size)
    loud, quiet = struct.pack("<h", 3_000), struct.pack("<h", -3_000)
    half = 20 + hashlib.sha256(seed.encode(errors="surrogatepass")).digest()[0] % 60
    wave = (loud * half + quiet * half) * (_PIECE_BYTES // (4 * half) + 1)
    for at in range(0, size, _PIECE_BYTES):
        yield wave[: min(_PIECE_BYTES, size - at)]


def wav_head(size: int) -> bytes:
    """Of so many bytes of samples."""
    form = struct.pack("<HHIIHH", 1, 1, SAMPLES_A_SECOND, _BYTES_A_SECOND, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + size)
        + b"WAVEfmt "
        + struct.pack("<I", 16)
        + form
        + (b"data" + struct.pack("<I", size))
    )


def scores(query: str, documents: Sequence[str]) -> list[float]:
    """How many of the query's words a document has, and a little by its own text, so that no two are alike."""
    wanted = _words(query)
    return [_score(wanted, document) for document in documents]


def _score(wanted: frozenset[str], document: str) -> float:
    found = len(wanted & _words(document)) / len(wanted) if wanted else 0.0
    chance = hashlib.sha256(document.encode(errors="surrogatepass")).digest()
    return round(0.9 * found + 0.1 * int.from_bytes(chance[:4], "big") / 2**32, 6)


def _words(text: str) -> frozenset[str]:
    return frozenset(word for word in text.lower().split() if len(word) >= _WORD_CHARACTERS_MIN)

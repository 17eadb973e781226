"""How long a sound is, by the head and the end of its file: measured as its header says, and bounded where it can be.

A header may lie. A bound is given only where the bytes allow no more: samples that are not packed, whose rate is also
what a decoder goes by, and MP3, which no encoder makes thinner than 8 kbit/s.
"""

import re
import struct
from collections.abc import Callable
from typing import Final, NamedTuple

HEAD_BYTES: Final = 64 * 1024
TAIL_BYTES: Final = 64 * 1024
UNBOUNDED_SECONDS: Final = 2**31
_BYTES_A_SECOND: Final = 32_000
"""Of a sound whose header nobody here reads: more than usual ones have, so that nobody pays for too much."""
_MP3_BYTES_A_SECOND_MIN: Final = 1_000
_PLAIN_SAMPLES: Final = frozenset((1, 3, 6, 7))  # PCM, floats, A-law, mu-law
_EXTENSIBLE: Final = 0xFFFE
_BITRATES_1: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_BITRATES_2: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_FRAME: Final = re.compile(rb"\xff[\xe2\xe3\xf2\xf3\xfa\xfb]")  # layer III of MPEG 2.5, 2 and 1
_RATES: Final = {0b11: (44_100, 48_000, 32_000), 0b10: (22_050, 24_000, 16_000), 0b00: (11_025, 12_000, 8_000)}
_OPUS_RATE: Final = 48_000
_TIME_SCALE, _DURATION, _CLUSTER, _CLUSTER_TIME = b"\x2a\xd7\xb1", b"\x44\x89", b"\x1f\x43\xb6\x75", b"\xe7"
_CLUSTER_SECONDS: Final = 1  # about as long as the last one of a recording lasts


class SoundLength(NamedTuple):
    """Seconds that have begun: as measured, and at most."""

    measured: int
    maximum: int


def sound_length(head: bytes, tail: bytes, size: int) -> SoundLength:
    """Of a file of `size` bytes; `head` and `tail` are its first and last ones."""
    maximum = UNBOUNDED_SECONDS
    measured: float | None = None
    try:
        if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
            measured, maximum = _wav(head, size)
        elif head[:3] == b"ID3" or _FRAME.match(head):
            measured, maximum = _mp3(head, size), -(-size // _MP3_BYTES_A_SECOND_MIN)
        else:
            reader = next((read for mark, read in _READERS if mark in head[:16]), None)
            measured = None if reader is None else reader(head, tail)
    except (struct.error, ZeroDivisionError, IndexError, KeyError):
        measured = None
    if measured is None or not 0 < measured < UNBOUNDED_SECONDS:
        measured = size / _BYTES_A_SECOND
    return SoundLength(min(_begun(measured), maximum), maximum)


def _begun(seconds: float) -> int:
    return max(1, int(-(-seconds // 1)))


def _wav(head: bytes, size: int) -> tuple[float | None, int]:
    at, rate, width = 12, 0, 0
    while at + 8 <= len(head):
        name, length = head[at : at + 4], int(struct.unpack_from("<I", head, at + 4)[0])
        if name == b"fmt ":
            kind, _, rate, _, width = struct.unpack_from("<HHIIH", head, at + 8)
            if kind == _EXTENSIBLE:
                kind = struct.unpack_from("<H", head, at + 8 + 24)[0]
            if kind not in _PLAIN_SAMPLES:
                return None, UNBOUNDED_SECONDS
        elif name == b"data" and rate and width:
            here = size - at - 8
            return min(length, here) / (rate * width), _begun(here / (rate * width))
        at += 8 + length + length % 2
    return None, UNBOUNDED_SECONDS


def _mp3(head: bytes, size: int) -> float | None:
    begin = 0
    if head[:3] == b"ID3":
        begin = 10 + sum((byte & 0x7F) << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=True))
    found = _FRAME.search(head, begin)
    if found is None:
        return None
    at = found.start()
    version, packed = head[at + 1] >> 3 & 0b11, head[at + 2]
    rate = _RATES[version][packed >> 2 & 0b11]
    samples = 1_152 if version == 0b11 else 576
    mark = re.search(rb"Xing|Info", head[at : at + 200])
    if mark is not None and head[at + mark.end() + 3] & 1:  # a variable rate tells its frames
        return int(struct.unpack_from(">I", head, at + mark.end() + 4)[0]) * samples / rate
    bitrate = (_BITRATES_1 if version == 0b11 else _BITRATES_2)[packed >> 4]
    return (size - at) * 8 / (bitrate * 1_000)


def _flac(head: bytes, tail: bytes) -> float:
    packed = int.from_bytes(head[18:26], "big")
    return (packed & (2**36 - 1)) / (packed >> 44)


def _ogg(head: bytes, tail: bytes) -> float | None:
    """The last page says how many samples there are up to it."""
    at = tail.rfind(b"OggS")
    if at < 0:
        return None
    samples = int(struct.unpack_from("<q", tail, at + 6)[0])
    vorbis = head.find(b"\x01vorbis")
    rate = _OPUS_RATE if vorbis < 0 else int(struct.unpack_from("<I", head, vorbis + 12)[0])
    return samples / rate


def _mp4(head: bytes, tail: bytes) -> float | None:
    for part in (head, tail):
        at = part.find(b"mvhd")
        if at < 0:
            continue
        if part[at + 4]:
            scale, length = struct.unpack_from(">IQ", part, at + 24)
        else:
            scale, length = struct.unpack_from(">II", part, at + 16)
        return int(length) / int(scale)
    return None


def _webm(head: bytes, tail: bytes) -> float | None:
    """Its length where its head tells it; else where its last cluster begins, for what is recorded as it is sent tells
    none."""
    scale = _element(head, _TIME_SCALE)
    unit = (int.from_bytes(scale, "big") if scale else 1_000_000) / 1_000_000_000
    told = _element(head, _DURATION)
    if told is not None and len(told) in (4, 8):
        return float(struct.unpack(">f" if len(told) == 4 else ">d", told)[0]) * unit
    for part in (tail, head):
        at = part.rfind(_CLUSTER)
        begun = None if at < 0 else _element(part[at : at + 32], _CLUSTER_TIME)
        if begun is not None:
            return int.from_bytes(begun, "big") * unit + _CLUSTER_SECONDS
    return None


def _element(data: bytes, mark: bytes) -> bytes | None:
    """What a short element of EBML holds; None: it is not there."""
    at = data.find(mark)
    if at < 0:
        return None
    begin = at + len(mark)
    size = data[begin] & 0x7F
    return data[begin + 1 : begin + 1 + size] if data[begin] & 0x80 and 0 < size <= 8 else None


_READERS: Final[tuple[tuple[bytes, Callable[[bytes, bytes], float | None]], ...]] = (
    (b"fLaC", _flac),
    (b"OggS", _ogg),
    (b"ftyp", _mp4),
    (b"\x1a\x45\xdf\xa3", _webm),
)

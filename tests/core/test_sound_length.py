"""How long sounds are: as their headers say, and never more than their bytes allow where a bound is given."""

import struct

import pytest

from tollhouse.core.sound_length import UNBOUNDED_SECONDS, SoundLength, sound_length


def wav(samples: int, rate: int = 8_000, kind: int = 1, width: int = 2, told: int | None = None) -> bytes:
    data = bytes(samples * width)
    form = struct.pack("<HHIIHH", kind, 1, rate, rate * width, width, 8 * width)
    size = len(data) if told is None else told
    head = b"RIFF" + struct.pack("<I", min(36 + size, 2**32 - 1)) + b"WAVE" + b"LIST" + struct.pack("<I", 3) + b"abc\0"
    return head + b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + data


def mp3(frames: int, bitrate: int = 9, xing: int | None = None, tag: bytes = b"") -> bytes:
    frame = bytes((0xFF, 0xFB, bitrate << 4, 0)) + bytes(413)
    first = frame if xing is None else frame[:36] + b"Xing" + struct.pack(">II", 1, xing) + frame[48:]
    return tag + first + frame * (frames - 1)


WEBM = b"\x1a\x45\xdf\xa3" + bytes(20) + b"\x2a\xd7\xb1\x83" + (1_000_000).to_bytes(3, "big")


def cluster(milliseconds: int) -> bytes:
    return b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff\xe7\x84" + milliseconds.to_bytes(4, "big")


def length(data: bytes) -> SoundLength:
    return sound_length(data[:65_536], data[-65_536:], len(data))


@pytest.mark.parametrize(
    ("data", "measured", "maximum"),
    [
        (wav(8_000), 1, 1),
        (wav(8_001), 2, 2),
        (wav(80_000, told=0xFFFFFFFF), 10, 10),
        (wav(80_000, told=16_000), 1, 10),  # a decoder that goes on pays nobody's bill
        (wav(80_000, kind=2, width=1), 3, UNBOUNDED_SECONDS),  # ADPCM: packed
        (mp3(383), 10, 160),
        (mp3(100, xing=3_829), 42, 42),
        (mp3(100, xing=383), 11, 42),
        (mp3(383, tag=b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)), 10, 160),
        (b"fLaC" + bytes(14) + ((44_100 << 44) | 441_000).to_bytes(8, "big") + bytes(100), 10, UNBOUNDED_SECONDS),
        (b"OggS" + bytes(100) + b"OpusHead" + b"OggS\0\0" + struct.pack("<q", 480_000), 10, UNBOUNDED_SECONDS),
        (
            b"OggS"
            + bytes(60)
            + b"\x01vorbis"
            + struct.pack("<IBI", 0, 1, 44_100)
            + b"OggS\0\0"
            + struct.pack("<q", 88_200),
            2,
            UNBOUNDED_SECONDS,
        ),
        (b"\0\0\0\x18ftypM4A " + b"mvhd" + bytes(12) + struct.pack(">II", 1_000, 7_500), 8, UNBOUNDED_SECONDS),
        (b"\0\0\0\x18ftypM4A " + b"mvhd\x01" + bytes(19) + struct.pack(">IQ", 1_000, 7_500), 8, UNBOUNDED_SECONDS),
        (WEBM + b"\x44\x89\x84" + struct.pack(">f", 7_500), 8, UNBOUNDED_SECONDS),
        (WEBM + b"\x44\x89\x88" + struct.pack(">d", 7_500) + bytes(90_000), 8, UNBOUNDED_SECONDS),
        (WEBM + cluster(0) + bytes(90_000) + cluster(59_000) + bytes(900), 60, UNBOUNDED_SECONDS),
        (WEBM + bytes(64_000), 3, UNBOUNDED_SECONDS),
        (bytes(320_001), 11, UNBOUNDED_SECONDS),
        (b"x", 1, UNBOUNDED_SECONDS),
        (b"RIFF\0\0\0\0WAVEfmt \x10", 1, UNBOUNDED_SECONDS),
        (b"fLaC" + bytes(60), 1, UNBOUNDED_SECONDS),
        (b"\0\0\0\x18ftypM4A mvhd" + bytes(60), 1, UNBOUNDED_SECONDS),
    ],
)
def test_lengths(data: bytes, measured: int, maximum: int) -> None:
    assert length(data) == SoundLength(measured, maximum)


def test_no_head_raises_anything() -> None:
    for begun in (
        wav(100),
        mp3(3),
        mp3(3, xing=9),
        b"fLaC" + bytes(40),
        b"OggS" + bytes(40),
        b"....ftyp" + bytes(40),
        WEBM,
    ):
        for at in range(len(begun)):
            found = length(begun[:at] + b"\xff" * 9)
            assert 1 <= found.measured <= found.maximum

"""Pictures and sound of an answer within a page: what browsers know by its beginning, and nothing else."""

import json
from base64 import b64encode

import pytest

from tollhouse.console.call_formats import call_formats
from tollhouse.console.call_media import BYTES_MAX, PageMedium, media_of

PICTURES, SOUND, CHAT = (call_formats()[name] for name in ("openai_images", "openai_speech", "openai_chat"))
PNG = b64encode(b"\x89PNG\r\n\x1a\n").decode()


def listed(*pictures: object) -> bytes:
    return json.dumps({"created": 1, "data": pictures}).encode()


@pytest.mark.parametrize(
    ("answer", "shown"),
    [
        (
            listed({"b64_json": PNG}, {"b64_json": "/9j/4AAQ"}),
            [f"image/png;base64,{PNG}", "image/jpeg;base64,/9j/4AAQ"],
        ),
        (listed({"url": "https://pictures.example/a.png"}), []),
        (listed({"b64_json": "PHN2Zz4="}), []),
        (listed({"b64_json": 5}), []),
        (listed(*[{"b64_json": PNG}] * 11), [f"image/png;base64,{PNG}"] * 10),
        (b"[]", []),
        (b"{", []),
        (b"", []),
        (listed({"b64_json": PNG + "A" * BYTES_MAX}), []),
    ],
    ids=["two", "address", "svg", "no text", "many", "list", "broken", "empty", "too large"],
)
def test_pictures_of_known_kinds_are_shown(answer: bytes, shown: list[str]) -> None:
    assert media_of(PICTURES, answer) == tuple(PageMedium("image", f"data:{one}") for one in shown)
    assert media_of(CHAT, answer) == ()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xf3", "audio/mpeg"),
        (b"RIFF", "audio/wav"),
        (b"OggS", "audio/ogg"),
        (b"{}", ""),
    ],
)
def test_sound_of_known_kinds_is_heard(answer: bytes, kind: str) -> None:
    heard = (PageMedium("audio", f"data:{kind};base64,{b64encode(answer).decode()}"),) if kind else ()
    assert media_of(SOUND, answer) == heard

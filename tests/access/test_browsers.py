"""Browsers are told apart as far as people need it, and the header itself is not kept."""

import pytest

from tollhouse.access.browsers import OTHER, browser_of

SAFARI = b"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Version/17.5 Safari/604.1"
EDGE = b"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0"


@pytest.mark.parametrize(
    ("header", "told"),
    [
        (b"Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0", "Firefox, Linux"),
        (SAFARI, "Safari, iPhone"),
        (EDGE, "Edge, Windows"),
        (b"Chrome/1", "Chrome"),
        (b"curl/8.5.0", OTHER),
        (b"", OTHER),
        (b"x" * 500 + b"Firefox/127.0", OTHER),
        (b"\xff\x00Firefox/\xff", "Firefox"),
    ],
)
def test_browser_is_told_by_name_and_system(header: bytes, told: str) -> None:
    assert browser_of(header) == told

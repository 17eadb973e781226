"""The picture of the second factor is what a phone reads."""

import re

import pytest
import zxingcpp

from tests.console.harness import Browser
from tollhouse.console.qr_code import QrCode, qr_code

_SCALE = 4


def read(code: QrCode) -> list[str]:
    """As a camera sees it: black on white."""
    rows = [[255] * code.side for _ in range(code.side)]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", code.path):
        rows[int(y)][int(x) : int(x) + int(width)] = [0] * int(width)
    pixels = bytes(shade for row in rows for _ in range(_SCALE) for shade in row for _ in range(_SCALE))
    picture = memoryview(pixels).cast("B", (code.side * _SCALE, code.side * _SCALE))
    return [one.text for one in zxingcpp.read_barcodes(picture)]


@pytest.mark.parametrize("text", ["otpauth://totp/a:b%40c.example?secret=JBSWY3DPEHPK3PXP&issuer=a", "a1:" * 200, "A"])
def test_code_is_read_as_it_was_written(text: str) -> None:
    assert read(qr_code(text)) == [text]


def test_page_shows_the_address_as_a_code(owner: Browser) -> None:
    html = owner.get("/console/settings/factor").html
    address = re.findall(r'href="(otpauth:[^"]+)"', html)[0].replace("&amp;", "&")
    (side, path) = re.findall(r'<svg class="qr" viewBox="0 0 (\d+) \d+".*?<path d="([^"]+)"', html)[0]
    assert read(QrCode(int(side), path)) == [address]

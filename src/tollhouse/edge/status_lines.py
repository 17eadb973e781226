"""The first line of an answer, by status."""

from http import HTTPStatus
from typing import Final


def _status_line(code: int) -> bytes:
    known = code in HTTPStatus.__members__.values()
    return b"HTTP/1.1 %d %b" % (code, HTTPStatus(code).phrase.encode() if known else b"Status")


STATUS_LINES: Final = {code: _status_line(code) for code in range(200, 600)}

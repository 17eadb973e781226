"""What a stream has delivered so far, kept only as long as it may have to be counted, in bounded memory."""

import json
from collections.abc import Callable

import msgspec

KEPT_BYTES_MAX = 64 * 1024
"""Beyond it the text kept is counted and forgotten: a word that stands on the cut may count as two."""

_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str).decode


class Delivered:
    """Text of an answer as it passes. `count` says how many tokens a text has; it is asked only for what is kept."""

    __slots__ = ("_count", "_counted", "_kept")

    def __init__(self, count: Callable[[str], int]) -> None:
        self._count = count
        self._counted = 0
        self._kept = bytearray()

    def add(self, text: str) -> None:
        if len(text) > KEPT_BYTES_MAX:
            self._fold()
            self._add_up(text)
            return
        try:
            self.add_escaped(_encode(text)[1:-1])
        except UnicodeEncodeError:
            self.add(text.encode(errors="replace").decode())

    def add_escaped(self, text: bytes) -> None:
        """Text as it stands between the quotes of JSON strings, one string a line: decoded only if it is counted."""
        self._kept += text
        if len(self._kept) > KEPT_BYTES_MAX:
            self._fold()

    def tokens(self) -> int:
        """Tokens of all that was added."""
        self._fold()
        return self._counted

    def _fold(self) -> None:
        text = _unescape(b'"' + self._kept.replace(b"\n", b"") + b'"')
        self._kept.clear()
        self._add_up(text)

    def _add_up(self, text: str) -> None:
        for start in range(0, len(text), KEPT_BYTES_MAX):
            piece = text[start : start + KEPT_BYTES_MAX].encode(errors="replace")  # half of a surrogate pair is no text
            self._counted += self._count(piece.decode())


def _unescape(text: bytes) -> str:
    try:
        return _decode_text(text)
    except msgspec.DecodeError:  # half of a surrogate pair, as JSON allows
        return str(json.loads(text))

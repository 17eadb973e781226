"""What a stream has delivered so far, kept only as long as it may have to be counted, in bounded memory."""

import json
import re
from collections.abc import Callable

import msgspec

KEPT_BYTES_MAX = 64 * 1024
"""Beyond it the text kept is counted and forgotten, but for its last word: no tokenizer merges across a blank."""

_SEAM = re.compile(rb".*(?<!\\)[A-Za-z0-9,.;:)](?=\n? )", re.DOTALL)
"""Up to a visible character before a blank, in texts one a line: counted apart, the two sides are the whole."""

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
        try:
            self.add_escaped(_encode(text)[1:-1])
        except UnicodeEncodeError:  # half of a surrogate pair is no text
            self.add(text.encode(errors="replace").decode())

    def add_escaped(self, text: bytes) -> None:
        """Text as it stands between the quotes of JSON strings, one string a line: decoded only if it is counted."""
        self._kept += text
        if len(self._kept) > KEPT_BYTES_MAX:
            seam = _SEAM.match(self._kept)
            self._fold(seam.end() if seam else len(self._kept))

    def tokens(self) -> int:
        """Tokens of all that was added."""
        self._fold(len(self._kept))
        return self._counted

    def _fold(self, end: int) -> None:
        text = _unescape(b'"' + self._kept[:end].replace(b"\n", b"") + b'"')
        del self._kept[:end]
        self._counted += self._count(text.encode(errors="replace").decode())


def _unescape(text: bytes) -> str:
    try:
        return _decode_text(text)
    except msgspec.DecodeError:  # half of a surrogate pair, as JSON allows
        return str(json.loads(text))

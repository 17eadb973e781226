"""What a stream has delivered so far, kept only as long as it may have to be counted, in bounded memory; and whether
more may be delivered.

A token has a byte at least, so bytes say enough while they are fewer than the tokens that may pass. Only then are they
counted, and what is left of the allowance is again that many bytes: each count is of new text, and a text of four bytes
a token is counted in about six steps.
"""

import json
import re
from collections.abc import Callable
from typing import Final

import msgspec

KEPT_BYTES_MAX: Final = 16 * 1024
"""Beyond it the text kept is counted and forgotten, but for its last word: no tokenizer merges across a blank. It takes
0.5 ms, and 4 ms at the worst."""
ANY_BYTES: Final = 2**62

_SEAM = re.compile(rb".*(?<!\\)[A-Za-z0-9,.;:)](?=\n? )", re.DOTALL)
"""Up to a visible character before a blank, in texts one a line: counted apart, the two sides are the whole."""

_encode = msgspec.json.Encoder().encode
_decode_text = msgspec.json.Decoder(str).decode


class Delivered:
    """Text of an answer as it passes. `count` says how many tokens a text has; it is asked only for what is kept.

    `most`: tokens that may pass in all; None: any number. `bytes`: of all text that was added; it has room for more
    while they are below `due`, and beyond it `has_room` counts.
    """

    __slots__ = ("_count", "_counted", "_kept", "_maximum", "beside", "bytes", "due")

    def __init__(self, count: Callable[[str], int], maximum: int | None = None) -> None:
        self._count = count
        self._counted = 0
        self._kept = bytearray()
        self._maximum = maximum
        self.bytes = 0  # of all text that was added
        self.due = ANY_BYTES if maximum is None else maximum  # from so many bytes on they have to be counted
        self.beside = 0  # tokens of sound and pictures

    def add(self, text: str) -> None:
        self.add_escaped(escaped(text))

    def add_escaped(self, text: bytes) -> None:
        """Text as it stands between the quotes of JSON strings, one string a line: decoded only if it is counted."""
        self._kept += text
        self.bytes += len(text)
        if len(self._kept) > KEPT_BYTES_MAX:
            self._fold(self._seam() or len(self._kept))

    def add_media(self, tokens: int) -> None:
        """Sound and pictures count for so many tokens in all by now."""
        self.due -= tokens - self.beside
        self.beside = tokens

    def has_room(self, size: int) -> bool:
        """Whether `size` more bytes of text may pass, whatever they are: what is kept is counted if need be."""
        return self.bytes + size <= self.due or self._recount(size)

    def fits(self, text: bytes, media: int = 0) -> bool:
        """Whether this escaped text, and so many tokens of sound and pictures in all, may pass."""
        if self._maximum is None or (media == self.beside and self.has_room(len(text))):
            return True
        self._fold(self._seam())
        return self._counted + self._tokens_of(bytes(self._kept) + text) + media <= self._maximum

    def fits_whole(self, texts: bytes) -> bool:
        """Whether texts as `add_escaped` takes them may pass, all of them, beside the media that have."""
        return self.fits(texts, self.beside)

    @property
    def pending(self) -> int:
        """Bytes of text that is not counted yet."""
        return len(self._kept)

    def left(self) -> int:
        """Tokens that may still pass; 0 where any number may."""
        return 0 if self._maximum is None else max(0, self._maximum - self.beside - self.tokens())

    def tokens(self) -> int:
        """Tokens of all text that was added: what is kept is counted as one, for each count of a part is rounded up."""
        return self._counted + (self._tokens_of(bytes(self._kept)) if self._kept else 0)

    def _recount(self, size: int) -> bool:
        self.due = self.bytes + self.left()
        return self.bytes + size <= self.due

    def _seam(self) -> int:
        """The end of what can be counted before the rest is known; 0: nothing."""
        seam = _SEAM.match(self._kept)
        return seam.end() if seam else 0

    def _fold(self, end: int) -> None:
        if end:
            self._counted += self._tokens_of(bytes(self._kept[:end]))
            del self._kept[:end]

    def _tokens_of(self, text: bytes) -> int:
        """A token has a byte at least: what a rule says beyond that is its error."""
        encoded = _unescape(b'"' + text.replace(b"\n", b"") + b'"').encode(errors="replace")
        return min(self._count(encoded.decode()), len(encoded))


def escaped(text: str) -> bytes:
    """A text as it stands between the quotes of a JSON string."""
    try:
        return _encode(text)[1:-1]
    except UnicodeEncodeError:  # half of a surrogate pair is no text
        return _encode(text.encode(errors="replace").decode())[1:-1]


def _unescape(text: bytes) -> str:
    try:
        return _decode_text(text)
    except msgspec.DecodeError:  # half of a surrogate pair, as JSON allows
        return str(json.loads(text))

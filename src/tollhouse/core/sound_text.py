"""Halves of surrogate pairs in what a provider wrote: servers cut a character in two, and write each half as an escape.

No other format can say a half. Two that follow one another are the character that they are; one alone is U+FFFD.
"""

from typing import Final

_FIRST: Final = range(0xD800, 0xDC00)


def sound_text(text: str) -> str:
    """A text without halves."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


class SoundTexts:
    """Pieces of one text. The first half of a pair at the end of a piece waits for its other one."""

    __slots__ = ("_kept",)

    def __init__(self) -> None:
        self._kept = ""

    def sound(self, piece: str) -> str:
        if not self._kept and piece.isascii():
            return piece
        piece = self._kept + piece
        self._kept = ""
        if piece and ord(piece[-1]) in _FIRST:
            self._kept, piece = piece[-1], piece[:-1]
        return sound_text(piece)

    def rest(self) -> str:
        rest, self._kept = self._kept, ""
        return sound_text(rest)

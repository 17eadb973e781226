"""Tokens of a text that comes in pieces, counted as it comes, in bounded memory."""

from collections.abc import Callable
from typing import Final

from tollhouse.tokens.cut import last_seam

FOLD_CHARACTERS: Final = 2048
"""Text kept until it is counted and forgotten: a fold costs about 0.1 ms, once for some 500 tokens of an answer."""


class RunningCount:
    """See `core.tokens`. Exact where the text has seams (see `cut`); without one, a fold may be off by a few tokens."""

    __slots__ = ("_count", "_folded", "_kept", "_size")

    def __init__(self, count: Callable[[str], int]) -> None:
        """`count` gives the tokens of a text."""
        self._count = count
        self._folded = 0
        self._kept: list[str] = []
        self._size = 0

    def add(self, text: str) -> None:
        """More of the text."""
        self._kept.append(text)
        self._size += len(text)
        if self._size >= FOLD_CHARACTERS:
            self._fold()

    def tokens(self) -> int:
        """Tokens of all that was added so far."""
        return self._folded + self._count("".join(self._kept))

    def _fold(self) -> None:
        text = "".join(self._kept)
        end = last_seam(text) or len(text)
        self._folded += self._count(text[:end])
        self._kept = [text[end:]]
        self._size = len(text) - end

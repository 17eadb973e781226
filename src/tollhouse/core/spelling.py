"""What did you mean: the nearest of the known words. For configuration keys, model names and commands."""

import difflib
import heapq
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like `word`, letter case aside; with none known, the empty text."""
    return next(iter(nearest_few(word, known, 1)), "")


def nearest_few(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known words most like `word`, letter case aside, the likest first."""
    folded = word.casefold()

    def likeness(other: str) -> tuple[float, str]:
        return difflib.SequenceMatcher(None, folded, other.casefold()).ratio(), other

    return heapq.nlargest(count, known, key=likeness)

"""What did you mean: the nearest of the known words. For configuration keys, model names and commands."""

import difflib
import heapq
from collections.abc import Iterable
from typing import Final

_BEGINNING_MIN: Final = 3  # letters that tell a beginning from chance


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like `word`, letter case aside; with none known, the empty text."""
    return next(iter(nearest_few(word, known, 1)), "")


def nearest_few(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known words most like `word`, letter case aside, the likest first; what it is the beginning of goes before
    all others: who writes `amount` means `amount_usd`, not `account`."""
    folded = word.casefold()
    begun = len(folded) >= _BEGINNING_MIN

    def likeness(other: str) -> tuple[bool, float, str]:
        theirs = other.casefold()
        alike = difflib.SequenceMatcher(None, folded, theirs).ratio()
        return begun and theirs.startswith(folded), alike, other

    return heapq.nlargest(count, known, key=likeness)

"""What did you mean: the nearest of the known words. For configuration keys, model names and commands."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like `word`, letter case aside; with none known, the empty text."""
    folded = word.casefold()

    def likeness(other: str) -> tuple[float, str]:
        return difflib.SequenceMatcher(None, folded, other.casefold()).ratio(), other

    return max(known, key=likeness, default="")

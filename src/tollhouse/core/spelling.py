"""What did you mean: the nearest of the known words. For configuration keys, model names and commands."""

import difflib
import heapq
from collections.abc import Iterable
from typing import Final

COMPARED_MAX: Final = 64
"""Words that are compared letter by letter, which takes some 20 microseconds each: of more, those that are begun with
the word, then those of the most alike letters."""
LETTERS_MAX: Final = 60  # of each word: comparing takes their product
_BEGINNING_MIN: Final = 3  # letters that tell a beginning from chance


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like `word`, letter case aside; with none known, the empty text."""
    return next(iter(nearest_few(word, known, 1)), "")


def nearest_few(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known words most like `word`, letter case aside, the likest first; what it is the beginning of goes before
    all others: who writes `amount` means `amount_usd`, not `account`."""
    folded = word[:LETTERS_MAX].casefold()
    begun = len(folded) >= _BEGINNING_MIN

    def likeness(other: str) -> tuple[bool, float, str]:
        theirs = other[:LETTERS_MAX].casefold()
        alike = difflib.SequenceMatcher(None, folded, theirs).ratio()
        return begun and theirs.startswith(folded), alike, other

    some = list(known)
    if len(some) > COMPARED_MAX:
        letters = set(folded)

        def unlike(other: str) -> tuple[bool, int]:
            theirs = other[:LETTERS_MAX].casefold()
            return not (begun and theirs.startswith(folded)), len(letters.symmetric_difference(theirs))

        some = heapq.nsmallest(COMPARED_MAX, some, key=unlike)
    return heapq.nlargest(count, some, key=likeness)

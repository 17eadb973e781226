"""What did you mean: the nearest of the known words. For configuration keys, model names and commands."""

import difflib
import heapq
from collections.abc import Iterable
from typing import Final

COMPARED_MAX: Final = 64
"""Words that are compared letter by letter, which takes some 20 microseconds each: of more, those that are begun with
the word, then those of the most alike letters."""
LETTERS_MAX: Final = 60  # of each word: comparing takes their product
MEANT: Final = 0.6
"""As alike are `accont` and `account`: what is less so was meant to be another word."""
_BEGINNING_MIN: Final = 3  # letters that tell a beginning from chance


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word most like `word`, letter case aside; with none known, the empty text."""
    return next(iter(nearest_few(word, known, 1)), "")


def nearest_few(word: str, known: Iterable[str], count: int = 3) -> list[str]:
    """The known words most like `word`, letter case aside, the likest first; what it is the beginning of goes before
    all others: who writes `amount` means `amount_usd`, not `account`."""
    folded = _folded(word)

    def likeness(other: str) -> tuple[bool, float, str]:
        theirs = _folded(other)
        return _begins(folded, theirs), difflib.SequenceMatcher(None, folded, theirs).ratio(), other

    return heapq.nlargest(count, to_compare(word, known), key=likeness)


def meant(word: str, known: Iterable[str]) -> str:
    """The known word that was meant, as far as can be told: the nearest, or the empty text where none is near."""
    likely = nearest(word, known)
    return likely if likely and (alike(word, likely) >= MEANT or _begins(_folded(word), _folded(likely))) else ""


def alike(word: str, other: str) -> float:
    """How alike two words are, letter case aside: 0 to 1."""
    return difflib.SequenceMatcher(None, _folded(word), _folded(other)).ratio()


def to_compare(word: str, known: Iterable[str]) -> list[str]:
    """At most COMPARED_MAX of the known words, whatever they are: those that may be most like `word`."""
    some = list(known)
    if len(some) <= COMPARED_MAX:
        return some
    folded = _folded(word)
    letters = set(folded)

    def unlike(other: str) -> tuple[bool, int]:
        theirs = _folded(other)
        return not _begins(folded, theirs), len(letters.symmetric_difference(theirs))

    return heapq.nsmallest(COMPARED_MAX, some, key=unlike)


def _begins(folded: str, theirs: str) -> bool:
    return len(folded) >= _BEGINNING_MIN and theirs.startswith(folded)


def _folded(word: str) -> str:
    return word[:LETTERS_MAX].casefold()

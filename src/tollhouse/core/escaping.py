"""Text that a caller wrote, made fit to be shown: on a terminal, in a message, in a spreadsheet.

What does not print (control characters, escape sequences, characters that turn the direction of text, separators of
lines and paragraphs, halves of surrogate pairs) is replaced, so that nothing that was written can move a cursor, hide
or reorder what stands beside it, or begin a line of its own.
"""

import unicodedata
from typing import Final

SHOWN_MAX: Final = 200
_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"
_FORMULAS: Final = (*"=+-@|%", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four: = + - @ in full width


def printable(text: str, maximum: int | None = None) -> str:
    """The first `most` characters (None: all), each of which prints."""
    cut = text if maximum is None else text[:maximum]
    if cut.isprintable():
        return cut
    return "".join(letter if letter.isprintable() else _REPLACED for letter in cut)


def named(letter: str) -> str:
    """A character that may not print, or may look like another, by its code and its name: U+200B ZERO WIDTH SPACE."""
    return f"U+{ord(letter):04X} {unicodedata.name(letter, '')}".strip()


def printable_lines(text: str) -> str:
    """The same line by line: for sentences of ours that end lines themselves."""
    return "\n".join(map(printable, text.split("\n")))


def cell(text: str) -> str:
    """A cell of comma-separated values that no spreadsheet takes for a formula. Where a comma marks decimals it takes
    semicolons for the ends of cells."""
    return ";".join(map(_literal, printable(text).split(";")))


def _literal(shown: str) -> str:
    return f"'{shown}" if shown.lstrip(f" '\"{_REPLACED}").startswith(_FORMULAS) else shown

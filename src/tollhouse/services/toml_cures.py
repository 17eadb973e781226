"""What helps where a file is no TOML: the mistake of another notation that stands at the place, and what to write.

The parser's own words say what it met (`said`); the line and the column say where. Words that help nobody are not said.
"""

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tollhouse.core.escaping import named

_QUOTES: Final = "\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a\u300c\u300d\uff02\uff07`\u00b4"
_IN_QUOTES: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_HEADER: Final = re.compile(r"\s*\[\[?[^\]]*(\]?)(\]?)(.*)")
_DAY: Final = re.compile(r"[0-9]{1,4}[./-][0-9]{1,2}[./-][0-9]{1,4}(?![0-9.:])", re.ASCII)
_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("true", "false", "yes", "no", "on", "off"), "write true or false, in small letters"),
    **dict.fromkeys(("null", "none", "nil", "~"), "leave the line out: what is not written has its default"),
}
_WHOLE: Final = (
    (re.compile(r"\A\s*\{"), "this looks like JSON: a section is written [server], and a setting name = value"),
    (re.compile(r"\A\s*(?:---|[a-z_]+:[ \t]*$)", re.MULTILINE), "this looks like YAML: a section is written [server]"),
    (re.compile(r"\A\s*<(?!<)"), "this is a page of the web, not the file"),
)
"""What a file is that is something else from its beginning on."""
_AT_THE_BEGINNING: Final = (
    (re.compile(r"\s*(?:;|//|--|/\*|REM\b)"), "a comment begins with #"),
    (re.compile(r"(?:<{7}|={7}|>{7})"), "a conflict of versions was left in the file"),
    (re.compile(r"\s*(?:```|~~~)"), "the marks around a block of code were copied along: remove them"),
)
"""What a line is that is no setting."""


class TomlPosition(Struct, frozen=True):
    """Where the parser stopped. `column` from 1; `at` is the line, `rest` what of it begins there."""

    said: str
    at: str
    column: int

    @property
    def rest(self) -> str:
        return self.at[self.column - 1 :]

    @property
    def value(self) -> str:
        """What stands behind the first `=`."""
        return self.at.partition("=")[2].strip()

    @property
    def inline(self) -> bool:
        """Whether an inline table is open there."""
        before = _IN_QUOTES.sub("", self.at[: self.column - 1])
        return before.count("{") > before.count("}")


def cure(text: str, line: int | None, column: int, said: str) -> str | None:
    """What to write instead, or None where nothing is known. `said`: the parser's words, without the place."""
    if "\r" in text and "\n" not in text:
        return "its lines end with CR alone: save it with LF or CRLF"
    at = text.split("\n")[line - 1] if line else ""
    whole = next((words for pattern, words in _WHOLE if pattern.search(text)), None) if line == 1 else None
    beginning = next((words for pattern, words in _AT_THE_BEGINNING if pattern.match(at)), None)
    place = TomlPosition(said=said, at=at, column=column)
    return whole or beginning or _odd_character(place) or _twice(place) or _within(place) or _value(place)


def _odd_character(place: TomlPosition) -> str | None:
    """A character that looks like another, or like none."""
    letter = place.rest[:1]
    if letter and letter in _QUOTES:
        return f'a text stands in straight quotes, such as "text", not in {named(letter)}'
    if not letter or letter.isascii() or letter.isalnum():
        return None
    return f"{named(letter)} was copied along: type this line anew"


def _twice(place: TomlPosition) -> str | None:
    if place.said.startswith("Cannot declare"):
        return "this table stands here a second time: write what belongs to it below one heading"
    if place.said.startswith(("Cannot overwrite", "Cannot mutate")):
        return "this has a value already: keep one of the two"
    return None


def _within(place: TomlPosition) -> str | None:
    """Of what has begun and is not well: a text, a table, a list, a pair."""
    said, rest = place.said, place.rest.strip()
    if said.startswith(("Unescaped '\\'", "Invalid hex")):
        return "in double quotes a backslash begins an escape: write a path in single quotes, or with /"
    if said.startswith("Illegal character '\\n'"):
        return "the closing quotation mark is missing"
    if said.startswith("Expected ']'"):
        return "the closing bracket is missing"
    if said.startswith("Unclosed array"):
        return "a comma stands between two entries of a list, and ] at its end"
    if said.startswith("Expected '='") and rest[:1] == ":":
        return "name and value are joined by =, not by :"
    if place.inline and said.startswith(("Invalid initial", "Unclosed inline")):
        return "no comma stands before }" if rest[:1] == "}" else "a table in braces ends on the line where it begins"
    return None


def _value(place: TomlPosition) -> str | None:
    if place.said.startswith("Invalid value"):
        return _unknown_value(place.rest.strip())
    if not place.said.startswith("Expected newline"):
        return None
    header = _HEADER.match(place.at) if place.at.lstrip().startswith("[") else None
    if header is not None:
        return "nothing follows a heading in brackets, and as many close it as open it"
    if place.value[:1] in ("'", '"'):
        return _behind_a_text(place.rest.strip())
    if _DAY.match(place.value):
        return "a date is written 2027-06-01"
    if re.fullmatch(r"0[0-9]+", place.value, re.ASCII):
        return "a number has no leading zero"
    return "a text stands in quotes"


def _unknown_value(rest: str) -> str:
    if not rest or rest.startswith("#"):
        return "a value is missing behind ="
    if rest[0] in "=:>":
        return "name and value are joined by one ="
    return _WORDS.get(re.split(r"[\s,}\]#]", rest)[0].lower(), "a text stands in quotes")


def _behind_a_text(rest: str) -> str:
    if rest[:1] in (",", ";"):
        return f"nothing ends a line: remove the {rest[0]}"
    if re.match(r"[A-Za-z_]+\s*=", rest):
        return "each setting stands on a line of its own"
    return 'a double quotation mark within a text is written \\", or the text stands in single quotes'

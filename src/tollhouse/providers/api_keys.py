"""Whether a text can be a provider's API key: found out when configuration is read, not at each call.

What a header can carry may be a key, however short: servers of one's own take `none` or `dummy`. What was copied along
with a key, or instead of one, is told.
"""

import re
from typing import Final

from tollhouse.core.escaping import named

_QUOTES: Final = "\"'`\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"
_MASKS: Final = "\u2026\u2022\u25cf\u00b7\u2217\u2731\u25cb\u2588"
_COPIED: Final = (
    (re.compile(r"bearer(?:[\s:]|\Z)", re.IGNORECASE), "the word Bearer was copied along: only the key belongs here"),
    (
        re.compile(r"-H\b|(?:authorization|proxy-authorization|(?:x-)?(?:goog-)?api-key)\s*:", re.IGNORECASE),
        "the name of a header was copied along: only the key belongs here",
    ),
    (
        re.compile(r"(?:(?:export|set|setx|declare -x|let)\s+|\$env:)?[A-Z][A-Z0-9_]+\s*=\s*[^=\s]", re.ASCII),
        "a whole assignment was copied: only what stands behind = belongs here",
    ),
    (
        re.compile(r"\$\{?\w+\}?\Z|%\w+%\Z|\$?\{\{.*\}\}\Z|\$\(.*\)\Z", re.ASCII),
        "this is a variable that nobody fills in: write env:NAME",
    ),
    (re.compile(r"<.*>\Z|\[.*\]\Z|\{.*\}\Z|\(.*\)\Z"), "brackets stand around it: write the key without them"),
    (re.compile(r".*(?:\.{3}|\*{3})"), "the short form that pages show was copied: copy the key where it is whole"),
    (re.compile(r".*[,;]\Z"), "a comma or semicolon was copied along: remove it at the end"),
    (re.compile(r"[^,]{8,},[^,]{8,}"), "several keys stand in one text: write each in quotes of its own"),
)
"""What stands there besides a key, or in its place; the first that is found."""


def check_api_key(text: str) -> str | None:
    """What is wrong with it, None if nothing. Names the place (from 1) and the character, never the key."""
    if not text:
        return "the key is empty"
    copied = next((words for pattern, words in _COPIED if pattern.match(text.strip())), None)
    if copied is not None:
        return copied
    for place, character in enumerate(text, 1):
        if "!" <= character <= "~" and character not in _QUOTES:
            continue
        return _odd(character, f"character {place} of {len(text)}")
    return None


def _odd(character: str, place: str) -> str:
    name = named(character)
    if character in _QUOTES:
        return f"{place} is a quotation mark ({name}) that was copied along; remove it"
    if character.isspace():
        return f"{place} is a blank ({name}); a key is one word"
    if character in _MASKS:
        return f"{place} ({name}): the short form that pages show was copied; copy the key where it is whole"
    if ord(character) < 128:
        return f"{place} ({name}) is a control character"
    return f"{place} ({name}) is not ASCII, which a header cannot carry: copy the key again, as plain text"

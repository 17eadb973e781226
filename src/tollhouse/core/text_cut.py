"""Cutting texts where they pass what may be told: to so many tokens, by our own count."""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

Count = Callable[[str], int]

STEPS_MAX: Final = 16
"""Of the search for the place to cut: to the character in texts of 65,536, to a few characters in longer ones."""
_CHARACTERS_PER_TOKEN: Final = 4


class TextLocation(NamedTuple):
    """A text, and where it stands: `holder[key]`. Of arguments that came as an object, the text is their JSON."""

    holder: Any
    key: Any
    text: str


def keep(locations: Iterable[TextLocation], maximum: int, count: Count) -> int:
    """Cut the texts at these places to `most` tokens in all. Gives how many are left."""
    used, full = 0, maximum <= 0
    for holder, key, text in locations:
        kept = "" if full else prefix(text, maximum - used, count)
        if len(kept) < len(text):
            holder[key], full = kept, True
        if kept:
            used += tokens_of(kept, count)
    return used


def prefix(text: str, maximum: int, count: Count) -> str:
    """The longest beginning of a text, or nearly, that has at most `most` tokens."""
    if maximum <= 0:
        return ""
    fits, beyond = 0, min(len(text), _CHARACTERS_PER_TOKEN * maximum)
    while tokens_of(text[:beyond], count) <= maximum:
        if beyond == len(text):
            return text
        fits, beyond = beyond, min(len(text), 2 * beyond)
    for _ in range(STEPS_MAX):
        if beyond - fits <= 1:
            break
        middle = (fits + beyond) // 2
        if tokens_of(text[:middle], count) <= maximum:
            fits = middle
        else:
            beyond = middle
    return text[:fits]


def tokens_of(text: str, count: Count) -> int:
    """Tokens by our count. A token has a byte at least: what a rule says beyond that is its error."""
    encoded = text.encode(errors="replace")
    return min(count(encoded.decode()), len(encoded))

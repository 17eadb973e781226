"""Figures of a report that somebody else made: read strictly, so that no nonsense becomes money.

Used by the protocol packages, each of which knows what its vendors' figures mean.
"""

from collections.abc import Mapping

from tollhouse.core.usage import TOKENS_MAX

Report = Mapping[str, object]


class Unbelievable(ValueError):
    """A figure that no honest report contains: negative, no integer, absurdly large, or a part larger than its whole.

    The report it stands in is not believed, as a whole.
    """


def figure(place: Report, name: str) -> int | None:
    """An integer from 0 to TOKENS_MAX; None where it is absent or null. Raises Unbelievable.

    `12.0` is an integer: JSON has one kind of number, and some writers of it only floats.
    """
    value = place.get(name)
    if value is None:
        return None
    if type(value) is float and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value <= TOKENS_MAX:
        raise Unbelievable(name)
    return value


def first(places: tuple[tuple[Report, str], ...]) -> int:
    """The first of several spellings that is there and not 0; 0 where none is. Raises Unbelievable."""
    for place, name in places:
        found = figure(place, name)
        if found:
            return found
    return 0


def within(place: Report, name: str) -> Report:
    """The object of this name; an empty one where it is absent, null or of another kind."""
    value = place.get(name)
    return value if isinstance(value, dict) else {}


def rest(whole: int, *parts: int) -> int:
    """What of a whole is none of its parts. Raises Unbelievable where the parts are more than the whole."""
    left = whole - sum(parts)
    if left < 0:
        raise Unbelievable("a part is larger than its whole")
    return left

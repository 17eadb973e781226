"""How many tags of an account are summed apart in a day: what they say is the callers' to invent, and their sums are
kept for good."""

from collections.abc import Mapping
from typing import Final

from tollhouse.store.driver import ROWS_AT_ONCE, Driver

TAGS_A_DAY_MAX: Final = 1_000
"""Of one account on one day of UTC, in each mode."""
OTHER_TAGS: Final = "(other tags)"  # no tag of anybody's: those have a `=`

TagKey = tuple[str, int, str]
"""Account, start of the day in Unix milliseconds, and mode."""


def summed_apart(driver: Driver, asked: Mapping[TagKey, set[str]]) -> Mapping[TagKey, set[str]]:
    """Of the tags that calls bring, those with a sum of their own: what has one already, and new ones while there is
    room. Calls with any other tag count under OTHER_TAGS."""
    counts: dict[TagKey, int] = driver.remembered.setdefault("tags", {})
    if len(counts) > TAGS_A_DAY_MAX:
        counts.clear()
    return {place: _those(driver, counts, place, tags) for place, tags in asked.items()}


def _those(driver: Driver, counts: dict[TagKey, int], place: TagKey, tags: set[str]) -> set[str]:
    """counts: no fewer than there are, so that they are counted again only where there seems to be no room."""
    there = counts.get(place)
    if there is None or there + len(tags) > TAGS_A_DAY_MAX:
        ((there,),) = driver.ask(f"SELECT count(*) FROM usage_tags WHERE {_OF_A_DAY}", place)  # noqa: S608
    if there + len(tags) > TAGS_A_DAY_MAX:
        known = _known(driver, place, tags)
        tags = known | set(sorted(tags - known)[: max(0, TAGS_A_DAY_MAX - there)])
        there = min(there, TAGS_A_DAY_MAX)
        counts[place] = there + len(tags - known)
    else:
        counts[place] = there + len(tags)
    return tags


def _known(driver: Driver, place: TagKey, tags: set[str]) -> set[str]:
    known: set[str] = set()
    listed = sorted(tags)
    for at in range(0, len(listed), ROWS_AT_ONCE):
        few = listed[at : at + ROWS_AT_ONCE]
        marks = ", ".join("?" * len(few))
        question = f"SELECT tag FROM usage_tags WHERE {_OF_A_DAY} AND tag IN ({marks})"  # noqa: S608 - no values
        known.update(tag for (tag,) in driver.ask(question, (*place, *few)))
    return known


_OF_A_DAY: Final = "account_id = ? AND start_ms = ? AND mode = ?"

"""Every ending of a call and its charge, in the words of docs/money.md: a receipt says the same.

`ROWS` is the table of that page, cell by cell; a test compares them.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from tollhouse.core.phrase import Phrase
from tollhouse.core.usage_record import UsageRecord


class Row(NamedTuple):
    """`heading`: the ending, and in which case. `usage`: what counts as used. `charge`: whether it is charged."""

    heading: str
    usage: str
    charge: str


_REPORTED: Final = Row(
    "`finished`, `incomplete`",
    "as reported (`upstream`), or counted where no believable report came (`counted`)",
    "yes",
)
_WHICH: Final[Mapping[str, str]] = {
    "upstream": "as the provider reported it",
    "counted": "counted, because no believable report came",
}
"""Which of the two it was; the page names both."""
_READ_ON: Final = "read to its end within `drain_seconds_max` (`drained`), else input and output so far, counted"

ROWS: Final[Mapping[tuple[str, str], Row]] = {
    ("finished", ""): _REPORTED,
    ("incomplete", ""): _REPORTED,
    ("incomplete", "cut"): Row(
        "`incomplete`, cut where it passed what was held for", "input and what was passed on, counted", "yes"
    ),
    ("refused", ""): Row("`refused` (by us, before dispatch)", "none", "free"),
    ("failed_before_first_byte", ""): Row("`failed_before_first_byte` (by us or the provider)", "none", "free"),
    ("failed_after_first_byte", ""): Row(
        "`failed_after_first_byte` (by us or the provider)", "input and what was delivered, counted", "yes"
    ),
    ("client_left_before_dispatch", ""): Row("`client_left_before_dispatch`", "none", "free"),
    ("client_left_before_first_byte", "buffered"): Row(
        "`client_left_before_first_byte`, buffered",
        "read to its end within `drain_seconds_max` (`drained`), else input, counted",
        "yes",
    ),
    ("client_left_before_first_byte", "drain"): Row(
        "`client_left_before_first_byte`, stream with `drain`", _READ_ON, "yes"
    ),
    ("client_left_before_first_byte", "abort"): Row(
        "`client_left_before_first_byte`, stream with `abort`", "input, counted", "yes"
    ),
    ("client_left_after_first_byte", "abort"): Row(
        "`client_left_after_first_byte`, `abort`",
        "input and output so far, counted; once a finish reason has passed, 2 s are left for the report",
        "yes",
    ),
    ("client_left_after_first_byte", "drain"): Row("`client_left_after_first_byte`, `drain`", _READ_ON, "yes"),
    ("commit_failed", "buffered"): Row("`commit_failed`, buffered", "none", "free: the caller got 503 and no answer"),
    ("commit_failed", "stream"): Row(
        "`commit_failed`, streamed",
        "as the ending would have been",
        "once: the record is queued, the hold stays until it is written",
    ),
}
"""By the ending and the case of it; those that have one case only have an empty one."""


def row_of(record: UsageRecord) -> Row:
    """The row that a call fell under."""
    return ROWS[record.ending, _case(record)]


def explained(record: UsageRecord) -> Phrase:
    """Its row as a sentence, without the page's marks."""
    row = row_of(record)
    usage = _WHICH.get(record.usage_source, row.usage) if row is _REPORTED else row.usage
    return Phrase("Usage: %(usage)s. %(charge)s", usage=Phrase(_unmarked(usage)), charge=Phrase(_charge(row)))


def parts_of_sentences() -> set[str]:
    """What `explained` makes its sentences of."""
    usages = {row.usage for row in ROWS.values()} | set(_WHICH.values())
    return {*map(_unmarked, usages), *map(_charge, ROWS.values())}


def _charge(row: Row) -> str:
    return "Charged: yes." if row.charge == "yes" else f"{row.charge[0].upper()}{row.charge[1:]}."


def _unmarked(text: str) -> str:
    return text.replace("`", "")


def _case(record: UsageRecord) -> str:
    if record.ending == "incomplete" and record.cut:
        return "cut"
    if record.ending == "commit_failed":
        return "stream" if record.stream else "buffered"
    if record.ending == "client_left_before_first_byte" and not record.stream:
        return "buffered"
    if record.ending in ("client_left_before_first_byte", "client_left_after_first_byte"):
        return "drain" if record.read_on else "abort"
    return ""

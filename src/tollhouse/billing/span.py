"""The span that a bill is asked for: `start_date` and `end_date` as balance tools write them.

A date is `YYYY-MM-DD`, also unpadded, or Unix seconds; a day begins at midnight of the zone in which the bill is kept.
The end is exclusive, but an end of today or later means until now: tools ask to tomorrow, or a month ahead. Usage is
kept by the quarter of an hour, so instants are taken back to one; spans that meet anywhere before today then share no
usage and lose none.
"""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import Struct

from tollhouse.billing.windows import Window, begins_ms, time_zone
from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import QUARTER_MS

_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
_UNIX: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
END_S: Final = 253_370_764_800
"""Unix seconds at which the year 9999 begins. Later instants mean the last before it: the last day has a next one."""
YEAR_MAX: Final = 9998
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)


class Span(Struct, frozen=True):
    """From `start_ms` (inside) to `end_ms` (outside), Unix milliseconds. Empty where they are equal."""

    start_ms: int
    end_ms: int


def read_span(start_date: str | None, end_date: str | None, now_ms: int, missing: Window, zone: str = "UTC") -> Span:
    """missing: the window that is meant where no date is given: this month, or that of the budget that binds.

    Raises BadRequest naming the parameter that is no date.
    """
    start_ms = missing.start_ms if not start_date else _instant(start_date, "start_date", zone)
    end_ms = now_ms if not end_date else _instant(end_date, "end_date", zone)
    if end_ms >= begins_ms(today(now_ms, zone), time_zone(zone)):
        end_ms = now_ms
    else:
        end_ms -= end_ms % QUARTER_MS
    start_ms -= start_ms % QUARTER_MS
    return Span(min(start_ms, end_ms), end_ms)


def day_edges(span: Span, now_ms: int, zone: str = "UTC") -> list[int]:
    """Where the days of a span begin, and where the last one ends, in Unix milliseconds; one edge for an empty span.

    A span until now ends with today: nothing lies in the future, and whole days are read faster.
    """
    edges = [span.start_ms]
    if span.start_ms < span.end_ms:
        place = time_zone(zone)
        end_ms = span.end_ms if span.end_ms < now_ms else begins_ms(today(now_ms, zone) + _DAY, place)
        day = today(span.start_ms, zone) + _DAY
        while (midnight_ms := begins_ms(day, place)) < end_ms:
            edges.append(midnight_ms)
            day += _DAY
        edges.append(end_ms)
    return edges


def today(now_ms: int, zone: str = "UTC") -> date:
    """The day of the calendar at an instant."""
    return (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(time_zone(zone)).date()


def _instant(text: str, param: str, zone: str) -> int:
    if _UNIX.fullmatch(text):
        return min(int(text), END_S - 1) * 1000
    written = _DATE.fullmatch(text)
    try:
        if written is not None:
            year, month, day = map(int, written.groups())
            return max(0, begins_ms(date(min(year, YEAR_MAX), month, day), time_zone(zone)))
    except ValueError:  # as 2026-02-30
        pass
    message = Phrase(
        "%(param)s %(given)s is no date: write YYYY-MM-DD or Unix seconds.", param=param, given=repr(text[:40])
    )
    raise BadRequest(message, param=param)

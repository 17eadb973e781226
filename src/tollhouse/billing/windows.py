"""When a budget begins anew: total, day, week, month, in UTC or the zone of the account. A function of time, no job."""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

WindowKind = Literal["total", "day", "week", "month"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_MS = timedelta(milliseconds=1)


class Window(Struct, frozen=True):
    """From `start_ms` (inside) to `end_ms` (outside), Unix milliseconds; `end_ms` is None for `total`."""

    start_ms: int
    end_ms: int | None


class BadZone(ValueError):
    """No time zone of that name is known here."""


def window(kind: WindowKind, now_ms: int, zone: str = "UTC", since_ms: int = 0) -> Window:
    """The window that holds an instant. Weeks begin on Monday. A `total` window begins when the budget was made.

    A day is a day of the calendar: where clocks change it lasts 23 or 25 hours, and where a zone left one out it is
    empty. It begins at the first midnight, also where the clocks show midnight twice. Raises BadZone.
    """
    if kind == "total":
        return Window(since_ms, None)
    place = time_zone(zone)
    day = (_EPOCH + timedelta(milliseconds=now_ms)).astimezone(place).date()
    start, end = _span(kind, day)
    if now_ms >= begins_ms(end, place):  # the clocks went back over midnight, and the day that had begun goes on
        start, end = _span(kind, end)
    return Window(begins_ms(start, place), begins_ms(end, place))


def time_zone(name: str) -> tzinfo:
    """The zone of that name in the IANA database. Raises BadZone."""
    try:
        return _zone(name)
    except (KeyError, ValueError, OSError):
        raise BadZone(f"{name[:60]!r} is no time zone: write one as UTC, Asia/Shanghai or Europe/Berlin") from None


def begins_ms(day: date, place: tzinfo) -> int:
    """The first instant of a day of the calendar, in Unix milliseconds."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=place)
    return (midnight - _EPOCH) // _MS


def _span(kind: WindowKind, day: date) -> tuple[date, date]:
    """The first day of the window that holds a day, and the first day after it."""
    if kind == "day":
        return day, day + _DAY
    if kind == "week":
        monday = day - day.weekday() * _DAY
        return monday, monday + 7 * _DAY
    return day.replace(day=1), date(day.year + day.month // 12, day.month % 12 + 1, 1)


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)

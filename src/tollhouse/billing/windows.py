"""When a budget begins anew: total, day, week, month, in UTC or the zone of the account. A function of time, no job."""

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

WindowKind = Literal["total", "day", "week", "month"]


class Window(Struct, frozen=True):
    """From `start_ms` (inside) to `end_ms` (outside), Unix milliseconds; `end_ms` is None for `total`."""

    start_ms: int
    end_ms: int | None


def window(kind: WindowKind, now_ms: int, zone: str = "UTC", since_ms: int = 0) -> Window:
    """The window that holds an instant. Weeks begin on Monday. A `total` window begins when the budget was made.

    A day is a day of the calendar: where clocks change it lasts 23 or 25 hours.
    """
    if kind == "total":
        return Window(since_ms, None)
    place = _zone(zone)
    local = datetime.fromtimestamp(now_ms // 1000, tz=place)
    day = datetime(local.year, local.month, local.day, tzinfo=place)
    if kind == "day":
        start, end = day, _days_later(day, 1, place)
    elif kind == "week":
        start = _days_later(day, -day.weekday(), place)
        end = _days_later(start, 7, place)
    else:
        start = datetime(day.year, day.month, 1, tzinfo=place)
        following = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=place)
        end = following
    return Window(_ms(start), _ms(end))


def _days_later(moment: datetime, days: int, place: tzinfo) -> datetime:
    date = moment.date() + timedelta(days=days)
    return datetime(date.year, date.month, date.day, tzinfo=place)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp()) * 1000


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)

"""When a day, week or month begins, found by looking at the calendar on the wall every quarter of an hour.

Written without a look at `billing.windows`, so that the two can be compared.
"""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

QUARTER_MS = 900_000
HOUR_MS = 4 * QUARTER_MS
DAY_MS = 24 * HOUR_MS


def on_the_wall(time_ms: int, zone: str) -> date:
    """The date that a calendar in the zone shows."""
    return datetime.fromtimestamp(time_ms // 1000, UTC).astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=4096)
def dawn_ms(day: date, zone: str) -> int:
    """The first quarter of an hour at which the wall shows this day, or a later one where a zone left the day out."""
    at_ms = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000 - DAY_MS
    while on_the_wall(at_ms, zone) < day:
        at_ms += QUARTER_MS
    return at_ms


def first_day(kind: str, day: date) -> date:
    while (kind == "week" and day.isoweekday() != 1) or (kind == "month" and day.day != 1):
        day -= timedelta(days=1)
    return day


def window_starts_ms(kind: str, time_ms: int, zone: str) -> int:
    """Of the day, week or month that holds an instant. A day that has begun goes on if the clocks go back over its
    midnight."""
    day = on_the_wall(time_ms, zone)
    if dawn_ms(day + timedelta(days=1), zone) <= time_ms:
        day += timedelta(days=1)
    return dawn_ms(first_day(kind, day), zone)


def window_ends_ms(kind: str, starts_ms: int, zone: str) -> int:
    """The start of the next one."""
    day = on_the_wall(starts_ms, zone)
    following = day + timedelta(days=1)
    while first_day(kind, following) == first_day(kind, day):
        following += timedelta(days=1)
    return dawn_ms(following, zone)

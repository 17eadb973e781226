"""How the calls of the last day went: which failed by what, and how long the first token took. Read from the newest
records, at most so many."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services.context import ServiceContext
from tollhouse.services.usage_series import records_within

RECORDS_MAX: Final = 1_000
_ENOUGH: Final = 20
"""Calls of the last hour that say more than those of the day."""


class FailureCount(Struct, frozen=True):
    """`last`: the newest of them."""

    code: str
    status: int
    count: int
    last: UsageRecord


class FirstToken(Struct, frozen=True):
    """Milliseconds until the first byte of streams that came; half of them, and 95 of a hundred, took no longer. Of the
    last `hours`."""

    p50_ms: int
    p95_ms: int
    calls: int
    hours: int


class RecentCalls(Struct, frozen=True):
    """`since_ms`: all calls since then were read."""

    since_ms: int
    calls: int
    failures: tuple[FailureCount, ...]
    first_token: FirstToken | None


async def look_back(services: ServiceContext, account_id: str) -> RecentCalls:
    """Of an account's last 24 hours, live and test calls alike. Raises Overloaded."""
    now_ms = services.clock.now_ms()
    from_ms = now_ms - DAY_MS
    calls, is_cut = await services.rows.read(
        lambda tables: records_within(tables, account_id, from_ms, now_ms + 1_000, RECORDS_MAX)
    )
    return RecentCalls(
        calls[-1].time_ms if is_cut else from_ms, len(calls), tuple(_failures(calls)), _first_token(calls, now_ms)
    )


def _failures(calls: Iterable[UsageRecord]) -> list[FailureCount]:
    """The most frequent first. calls: the newest first."""
    last: dict[tuple[str, int], UsageRecord] = {}
    counts: dict[tuple[str, int], int] = {}
    for call in calls:
        if call.error is not None:
            kind = call.error, call.status
            last.setdefault(kind, call)
            counts[kind] = counts.get(kind, 0) + 1
    found = [FailureCount(code, status, counts[code, status], one) for (code, status), one in last.items()]
    return sorted(found, key=lambda one: (-one.count, one.code))


def _first_token(calls: Sequence[UsageRecord], now_ms: int) -> FirstToken | None:
    streams = [call for call in calls if call.stream and call.status < 400 and call.first_byte_ms is not None]
    hour = [call for call in streams if call.time_ms >= now_ms - HOUR_MS]
    chosen, hours = (hour, 1) if len(hour) >= _ENOUGH else (streams, 24)
    times = sorted(call.first_byte_ms for call in chosen if call.first_byte_ms is not None)
    if not times:
        return None
    return FirstToken(_within(times, 50), _within(times, 95), len(times), hours)


def _within(times: Sequence[int], percent: int) -> int:
    """What so many of a hundred took at most: the nearest rank."""
    return times[-(-len(times) * percent // 100) - 1]

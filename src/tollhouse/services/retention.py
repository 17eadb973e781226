"""Records of calls, and closed tickets, that are older than they are kept: deleted, a few at a time, while calls are
served.

Ledger, sums of usage and of spending, and audit stay. Each portion is one short transaction among those of the calls,
and after each the deleting rests four times as long as the portion took, waiting included: it takes a fifth of the
writer's time at the most, and less when the writer is busy.

A wall clock that is set far ahead makes nothing old: time that no server saw pass, more than two days of it, is not
believed before the clock has gone on evenly for a day.
"""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from msgspec import Struct, structs

from tollhouse.core.failure import Overloaded
from tollhouse.core.ids import time_of
from tollhouse.core.instant import utc_day
from tollhouse.core.phrase import Phrase
from tollhouse.core.retention import Retention
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

PORTION: Final = 100  # records: a millisecond of the writer's
TICKETS: Final = 5  # with threads of at most 200 messages
_REST: Final = 4  # times what a portion took
_REST_SECONDS_MIN: Final = 0.01
_REST_SECONDS_MAX: Final = 5.0
_AGAIN_SECONDS: Final = 60.0  # after the database was away
_UNSEEN_MS_MAX: Final = 2 * DAY_MS  # a machine that sleeps or stops for a weekend is not asked about each night
DOUBT_MS: Final = DAY_MS  # how long a clock that went ahead must go on evenly

Sleep = Callable[[float], Awaitable[None]]


class RetentionReport(Protocol):
    def event(self, name: str, **facts: object) -> None: ...
    def defect(self, request_id: str, error: BaseException) -> None: ...


class ClockReading(Struct, frozen=True):
    """The instant at which the loop looked last, by the wall clock and by the one that nobody can set."""

    wall_ms: int
    ticks_ns: int


async def run(services: ServiceContext, sleep: Sleep, report: RetentionReport) -> None:
    """Never returns: look once an hour, also across restarts."""
    seen: ClockReading | None = None
    while True:
        try:
            state = await services.rows.read(lambda tables: tables.retention.load())
            before = seen or await _last_seen(services, state)
            now = _now(services)
            ahead_ms = now.wall_ms - before.wall_ms - (now.ticks_ns - before.ticks_ns) // 1_000_000
            if ahead_ms > _UNSEEN_MS_MAX:
                state = await _put_off(services, now.wall_ms + DOUBT_MS)
                report.event("records_kept_for_clock", ahead_days=ahead_ms // DAY_MS)
            seen = now
            wait_ms = (state.next_at_ms or 0) - now.wall_ms
            if 0 < wait_ms <= DOUBT_MS:  # a clock that was set back makes nobody wait for longer
                await sleep(min(wait_ms, HOUR_MS) / 1000)
            else:
                if closed := await delete_closed_tickets(services, sleep):
                    report.event("tickets_deleted", tickets=closed, kept_days=services.ticket_retention_days)
                if deleted := await delete_expired(services, sleep):
                    report.event("records_deleted", records=deleted, kept_days=services.retention_days)
            continue
        except Overloaded:  # the database is away, and calls hear of it too
            pass
        except Exception as error:  # guard: a defect here must not end the deleting for good
            report.defect("", error)
        await sleep(_AGAIN_SECONDS)


def in_doubt(state: Retention) -> bool:
    """Whether the next look was put off because the clock had gone ahead."""
    return (state.next_at_ms or 0) > (state.ended_at_ms or 0) + _UNSEEN_MS_MAX


async def _last_seen(services: ServiceContext, state: Retention) -> ClockReading:
    """When a server looked last; before the first look of all: when the last call came."""
    looked_ms = max(state.ended_at_ms or 0, (state.next_at_ms or 0) - DOUBT_MS)
    if not looked_ms:
        last = await services.rows.read(lambda tables: tables.requests.page(before=None, limit=1))
        looked_ms = last[0].time_ms if last else services.clock.now_ms()
    return ClockReading(looked_ms, services.clock.ticks_ns())


def _now(services: ServiceContext) -> ClockReading:
    return ClockReading(services.clock.now_ms(), services.clock.ticks_ns())


async def _put_off(services: ServiceContext, next_at_ms: int) -> Retention:
    def put_off(tables: SqlRepositories) -> Retention:
        state = structs.replace(tables.retention.load(), next_at_ms=next_at_ms)
        tables.retention.save(state)
        return state

    return await services.rows.change(put_off)


async def delete_expired(services: ServiceContext, sleep: Sleep, portion: int = PORTION) -> int:
    """Delete every record that is older than `retention_days`; how many there were. Raises Overloaded."""
    before_ms = expired_before_ms(services)
    deleted = await _in_portions(services, sleep, portion, lambda tables: _delete_portion(tables, before_ms, portion))
    now_ms = services.clock.now_ms()
    await services.rows.change(
        lambda tables: tables.retention.save(
            structs.replace(tables.retention.load(), ended_at_ms=now_ms, next_at_ms=now_ms + HOUR_MS)
        )
    )
    return deleted


async def delete_closed_tickets(services: ServiceContext, sleep: Sleep, portion: int = TICKETS) -> int:
    """Delete every closed ticket that is older than `ticket_retention_days`; how many there were. Raises Overloaded."""
    before_ms = services.clock.now_ms() - services.ticket_retention_days * DAY_MS
    return await _in_portions(services, sleep, portion, lambda tables: tables.tickets.delete_closed(before_ms, portion))


async def _in_portions(
    services: ServiceContext, sleep: Sleep, portion: int, delete: Callable[[SqlRepositories], int]
) -> int:
    """Delete until a portion is not full, resting after each."""
    deleted = 0
    while True:
        began_ns = services.clock.ticks_ns()
        count = await services.rows.change(delete)
        deleted += count
        if count < portion:
            return deleted
        took_s = (services.clock.ticks_ns() - began_ns) / 1e9
        await sleep(min(max(took_s * _REST, _REST_SECONDS_MIN), _REST_SECONDS_MAX))


def expired_before_ms(services: ServiceContext) -> int:
    return services.clock.now_ms() - services.retention_days * DAY_MS


def expired(services: ServiceContext, request_id: str, state: Retention) -> str | None:
    """Why there is no record of a call whose id is as old as that; None: its id is no reason. Whose call it was is no
    matter: the id's own time says it."""
    time_ms = time_of(request_id)
    if time_ms is None or not 0 < time_ms < max(expired_before_ms(services), state.before_ms):
        return None
    return Phrase(
        "its record has been deleted: records are kept %(days)s days, and this id is of %(day)s; what it was charged"
        " stays in the ledger",
        days=services.retention_days,
        day=utc_day(time_ms),
    )


def _delete_portion(tables: SqlRepositories, before_ms: int, portion: int) -> int:
    """The row that says how far is written with the first records that go: whoever checks never takes a gap for a
    loss."""
    count = tables.requests.delete_before(before_ms, portion)
    state = tables.retention.load()
    if count or before_ms > state.before_ms:
        far = max(before_ms, state.before_ms)
        tables.retention.save(structs.replace(state, before_ms=far, deleted=state.deleted + count))
    return count

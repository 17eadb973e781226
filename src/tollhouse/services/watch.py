"""What is told without a call that crosses a line: a low balance, a key that ends soon, spending unlike other days.

Looked at from time to time, from what memory holds; each is told once. What a killed process did not tell is found
again at the next look, for a look asks how things stand, not what has changed.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from statistics import median_high
from typing import Final

from msgspec import Struct, field

from tollhouse.core.amount import NANO_PER_USD, format_usd, parse_usd
from tollhouse.core.catalogue import Plan
from tollhouse.core.failure import Overloaded
from tollhouse.core.instant import rfc3339
from tollhouse.core.notice import Notice, NoticeType, notice_id
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.services.context import ServiceContext
from tollhouse.services.outbox import DeliveryObserver
from tollhouse.store.tables import SqlRepositories

LOOK_SECONDS: Final = 60
DAYS_BEFORE: Final = (1, 7)
"""A key's end is told so many days before it."""

USUAL_DAYS: Final = 14
USUAL_DAYS_MIN: Final = 7
UNUSUAL_TIMES: Final = 3
UNUSUAL_MIN: Final = NANO_PER_USD

_Line = tuple[NoticeType, str, int, int]


class WatchState(Struct):
    """What one process has told or looked at; the database knows better, and is not asked each time."""

    notified: set[_Line] = field(default_factory=set)
    spent: dict[str, int] = field(default_factory=dict)
    hour: int = 0


async def run(services: ServiceContext, watcher: DeliveryObserver) -> None:
    """Never returns."""
    seen = WatchState(spent=_spent(services))
    while True:
        try:
            await look(services, seen)
        except Overloaded:  # the database is away: the next look finds the same
            pass
        except Exception as error:  # guard: one account's defect must not end the watch over all others
            watcher.defect("", error)
        await asyncio.sleep(LOOK_SECONDS)


async def look(services: ServiceContext, seen: WatchState) -> int:
    """Tell what is to be told; the answer is how much was. Balances at each look, the rest once an hour."""
    now_ms = services.clock.now_ms()
    found = list(low_balances(services, now_ms))
    hour = now_ms // HOUR_MS
    if hour != seen.hour:
        found += [*expiring_keys(services, now_ms), *[one async for one in _unusual(services, seen, now_ms)]]
    new = [one for one in found if _line(one) not in seen.notified]
    if hour != seen.hour:
        await services.rows.change(lambda tables: tables.sendings.forget_before(now_ms))
    told = 0
    if new:
        told = await services.rows.change(lambda tables: sum(tables.outbox.add(one) for one in new))
        seen.notified.update(map(_line, new))
    if told:
        services.news.set()
    seen.hour = hour
    return told


def low_balances(services: ServiceContext, now_ms: int) -> Iterator[Notice]:
    """Accounts of which little is left: told once, and again after anything was put in or taken out."""
    for account in services.directory.accounts.values():
        counter = services.counters.money(account.id)
        if counter.limit is None:
            continue
        plan = services.catalogue.plans.get(account.plan) or Plan(id=account.plan)
        below = min(parse_usd(plan.balance_below_usd), counter.limit // 10)
        left = counter.limit - counter.spent
        if left < below:
            data = {"available_usd": format_usd(left), "below_usd": format_usd(below), "account": account.id}
            yield _notice("balance.low", account.id, counter.limit, 0, account.id, now_ms, data)


def expiring_keys(services: ServiceContext, now_ms: int) -> Iterator[Notice]:
    """Keys that end within 7 days, and within 1; not those that were made for so short a time."""
    for key in services.directory.keys.values():
        ends_ms = key.expires_at_ms
        if key.state != "active" or ends_ms is None or ends_ms <= now_ms:
            continue
        lived_ms = ends_ms - max(key.created_at_ms, key.rotated_at_ms or 0)
        for days in DAYS_BEFORE:
            if ends_ms - now_ms <= days * DAY_MS < lived_ms:
                data: dict[str, str | int | None] = {
                    "days": days,
                    "expires_at": rfc3339(ends_ms),
                    "account": key.account_id,
                    "project": key.project_id,
                    "key": key.id,
                }
                yield _notice("key.expiring", key.id, ends_ms, days, key.account_id, now_ms, data)
                break


def unusual(today: int, before: list[int]) -> int | None:
    """What a day usually costs, where today's spending is unlike it; None where it is not, or too little is known.

    today, before: nano-USD, of today so far and of each of the days before it.
    """
    if len(before) < USUAL_DAYS_MIN or today <= UNUSUAL_MIN:
        return None
    usual = median_high(before)
    return usual if today > UNUSUAL_TIMES * usual else None


async def _unusual(services: ServiceContext, seen: WatchState, now_ms: int) -> AsyncIterator[Notice]:
    """Asks only for accounts that have spent since the last look."""
    spent, today_ms = _spent(services), now_ms - now_ms % DAY_MS
    for account_id, amount in spent.items():
        if seen.spent.get(account_id, 0) == amount:
            continue
        days = _age_days(services, account_id, today_ms)
        *before, today = await services.rows.read(_days_of(account_id, today_ms, days))
        usual = unusual(today, before)
        if usual is not None:
            data = {"spent_usd": format_usd(today), "usual_usd": format_usd(usual), "account": account_id}
            yield _notice("spend.unusual", account_id, today_ms, 0, account_id, now_ms, data)
    seen.spent = spent


def _age_days(services: ServiceContext, account_id: str, today_ms: int) -> int:
    """Whole days of UTC that the account has seen, as far as they are looked at."""
    created_ms = services.directory.accounts[account_id].created_at_ms
    return max(0, min(USUAL_DAYS, (today_ms - created_ms) // DAY_MS))


def _days_of(account_id: str, today_ms: int, days: int) -> Callable[[SqlRepositories], list[int]]:
    """Nano-USD of each of the days before today, and of today."""
    edges = [today_ms + day * DAY_MS for day in range(-days, 2)]
    return lambda tables: [sum(models.values()) for models in tables.spend.by_model(account_id, edges)]


def _spent(services: ServiceContext) -> dict[str, int]:
    return {account_id: services.counters.money(account_id).spent for account_id in services.directory.accounts}


def _line(notice: Notice) -> _Line:
    return notice.type, notice.object_id, notice.episode, notice.mark


def _notice(
    type: NoticeType,  # noqa: A002 - the record's name
    object_id: str,
    episode: int,
    mark: int,
    account_id: str,
    now_ms: int,
    data: dict[str, str | int | None] | dict[str, str],
) -> Notice:
    return Notice(
        id=notice_id(type, object_id, episode, mark),
        type=type,
        object_id=object_id,
        episode=episode,
        mark=mark,
        account_id=account_id,
        time_ms=now_ms,
        data=dict(data),
    )

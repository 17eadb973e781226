"""What a budget would have done: on how many of the last days it would have been used up.

It is read from the sums of charges by day, so days are those of UTC, also where the budget has another zone.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final

from msgspec import Struct

from tollhouse.billing.windows import WindowKind
from tollhouse.core.audit import Actor
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import budgets, fields, reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.budgets import BudgetRehearsal
from tollhouse.services.with_fields import WithFieldsOf

DAYS: Final = 30
_WINDOW_DAYS_MAX: Final = 31  # of the first day's window, before it


class Rehearsal(Struct, frozen=True, kw_only=True):
    """`days`: Unix milliseconds at which those of the last DAYS begin, today included, by whose end their window had
    spent the amount. `most`: what was spent at most in one window, as far as it is looked at."""

    amount: int
    days: tuple[int, ...]
    most: int


@WithFieldsOf(BudgetRehearsal)
async def rehearse(services: ServiceContext, actor: Actor, given: BudgetRehearsal) -> Rehearsal:
    """Nothing changes. Budgets that stood in these days have kept spending below what it would have been without them.
    Raises BadRequest, PathNotFound."""
    target = reach.target(services, actor, given.account, given.project, given.key)
    amount = fields.amount(given.amount_usd, "amount_usd", zero=True)
    kind = budgets.read_window(given.window)
    model = None if given.model is None else reach.model(services, actor, given.model)
    now_ms = services.clock.now_ms()
    today_ms = now_ms - now_ms % DAY_MS
    first_ms = today_ms - (DAYS - 1) * DAY_MS
    from_ms = min(first_ms, max(_starts_ms(kind, first_ms), first_ms - _WINDOW_DAYS_MAX * DAY_MS))
    edges = range(from_ms, today_ms + DAY_MS + 1, DAY_MS)
    by_day = await services.rows.read(
        lambda tables: tables.spend.of_days(target.object_id, from_ms, today_ms + DAY_MS, model)
    )
    spent = [by_day.get(start_ms, 0) for start_ms in edges[:-1]]
    return _rehearsed(kind, amount, edges, spent, first_ms)


def _rehearsed(
    kind: WindowKind, amount: int, starts_ms: Sequence[int], spent: Sequence[int], first_ms: int
) -> Rehearsal:
    days, most, sum_of_window, window_ms = [], 0, 0, -1
    for start_ms, charge in zip(starts_ms[:-1], spent, strict=True):
        if kind != "total" and (begins_ms := _starts_ms(kind, start_ms)) != window_ms:
            window_ms, sum_of_window = begins_ms, 0
        sum_of_window += charge
        most = max(most, sum_of_window)
        if start_ms >= first_ms and sum_of_window >= amount:
            days.append(start_ms)
    return Rehearsal(amount=amount, days=tuple(days), most=most)


def _starts_ms(kind: WindowKind, day_ms: int) -> int:
    """When the window of a day begins; `total` has begun with the first day that is looked at."""
    if kind in ("day", "total"):
        return day_ms
    day = datetime.fromtimestamp(day_ms / 1_000, UTC).date()
    first: date = day.replace(day=1) if kind == "month" else day - timedelta(days=day.weekday())
    return int(datetime(first.year, first.month, first.day, tzinfo=UTC).timestamp()) * 1_000

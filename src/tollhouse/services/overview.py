"""An account at a glance: what is left and for how long, what was spent, what went wrong."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tollhouse.billing.budgets import Budget
from tollhouse.billing.holds import SpendingCounter
from tollhouse.core.account import Account
from tollhouse.core.audit import Actor
from tollhouse.core.roll_up import DAY_MS, UsageSum
from tollhouse.services import budgets, reach, recent_calls, usage_series
from tollhouse.services.context import ServiceContext
from tollhouse.services.recent_calls import RecentCalls
from tollhouse.services.usage_series import UsageAsked, total
from tollhouse.services.usage_spans import month_ms, today_ms

_DAYS_BACK: Final = 30  # besides today: a month lies within
_PACE_DAYS: Final = 7
_BUDGETS: Final = 6
_MODELS: Final = 6


class BudgetStanding(Struct, frozen=True):
    """A budget with the counter of its present window."""

    budget: Budget
    counter: SpendingCounter


class Overview(Struct, frozen=True, kw_only=True):
    """Of live calls, by days of the account's zone. `days`: the last 31, today last. `models`: those of the most spend.
    `budgets`: those that bind, the fullest first. `recent`: the last 24 hours, test calls included. `lasts_until_ms`:
    when the money is used up if the last seven days go on (Unix milliseconds); None: nothing was spent, nothing binds,
    or that is more than a year away."""

    account: Account
    money: SpendingCounter
    lasts_until_ms: int | None
    month: UsageSum
    days: tuple[UsageSum, ...]
    models: tuple[UsageSum, ...]
    budgets: tuple[BudgetStanding, ...]
    recent: RecentCalls

    @property
    def available(self) -> int | None:
        """Nano-USD, negative where it is overdrawn; None: nothing binds."""
        money = self.money
        return None if money.limit is None else money.limit - money.spent - money.held

    @property
    def today(self) -> UsageSum:
        return self.days[-1]

    @property
    def is_new(self) -> bool:
        """Nobody has called yet."""
        return not any(one.calls for one in self.days) and not self.recent.calls


async def show(services: ServiceContext, actor: Actor, reference: str | None = None) -> Overview:
    """Of the account named, else of the actor's own. Raises PathNotFound, BadRequest, Overloaded."""
    account, now_ms = reach.account_or_own(services, actor, reference), services.clock.now_ms()
    from_ms = today_ms(now_ms, account.zone, days_ago=_DAYS_BACK)
    explored = await usage_series.explore(services, actor, UsageAsked(account=account.id, from_ms=from_ms, every="day"))
    days, money = explored.whole.spans, services.counters.money(account.id)
    return Overview(
        account=account,
        money=money,
        lasts_until_ms=_lasts_until(money, days, now_ms),
        month=total("", [one for one in days if one.start_ms >= month_ms(now_ms, account.zone)]),
        days=days,
        models=tuple(one for one in explored.ranking if one.group)[:_MODELS],
        budgets=await _budgets(services, actor, account.id),
        recent=await recent_calls.look_back(services, account.id),
    )


async def _budgets(services: ServiceContext, actor: Actor, account_id: str) -> tuple[BudgetStanding, ...]:
    found = await budgets.list_page(services, actor, account=account_id)
    now_ms = services.clock.now_ms()
    counters = [(one, services.counters.present(one.id, now_ms)) for one in found.records]
    rows = [BudgetStanding(one, counter) for one, counter in counters if counter is not None]
    rows.sort(key=lambda row: -(row.counter.spent + row.counter.held) * 1_000 // max(1, row.budget.amount))
    return tuple(rows[:_BUDGETS])


def _lasts_until(money: SpendingCounter, days: Sequence[UsageSum], now_ms: int) -> int | None:
    last = days[-_PACE_DAYS:]
    spent = sum(one.charge for one in last)
    if money.limit is None or not spent:
        return None
    left = money.limit - money.spent - money.held
    lasts_ms = left * (now_ms - last[0].start_ms) // spent
    return now_ms + lasts_ms if 0 <= lasts_ms < 366 * DAY_MS else None

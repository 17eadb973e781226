"""/console/: what is left, what was spent, what went wrong, what changed. Before the first call: how to make it."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tollhouse.billing.budgets import Budget
from tollhouse.billing.holds import SpendingCounter
from tollhouse.console import snippets
from tollhouse.console.local_time import month_ms, today_ms
from tollhouse.console.objects import name_of
from tollhouse.console.route import SIGNED_IN, Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import Account
from tollhouse.core.audit import AuditRow
from tollhouse.core.failure_words import FailureWords, words_of
from tollhouse.core.roll_up import DAY_MS, UsageSum
from tollhouse.services import audit, budgets, models, recent_calls, usage_series
from tollhouse.services.recent_calls import FailureCount
from tollhouse.services.usage_series import UsageAsked, total

_DAYS_BACK: Final = 30  # besides today: a month lies within
_PACE_DAYS: Final = 7
_CHANGES: Final = 6
_CHANGES_READ: Final = 40
_BUDGETS: Final = 6
_NO_CHANGE: Final = "session."  # signing in and out


class BudgetRow(Struct, frozen=True):
    budget: Budget
    counter: SpendingCounter
    name: str


class FailureRow(Struct, frozen=True):
    failure: FailureCount
    words: FailureWords | None


@page("GET /console/", may=SIGNED_IN)
async def overview(visit: Visit) -> Answer:
    services, account = visit.context.services, visit.account
    if account is None:
        return Elsewhere("/console/platform/accounts")
    from_ms = today_ms(visit.now_ms, account.zone, days_ago=_DAYS_BACK)
    explored = await usage_series.explore(services, visit.actor, UsageAsked(from_ms=from_ms, every="day"))
    days = explored.whole.spans
    recent = await recent_calls.look_back(services, visit.actor)
    money = services.counters.money(account.id)
    month = total("", [one for one in days if one.start_ms >= month_ms(visit.now_ms, account.zone)])
    is_new = not explored.whole.total.calls and not recent.calls
    return Shown(
        "overview.html",
        {
            "account": account,
            "money": money,
            "available": None if money.limit is None else money.limit - money.spent - money.held,
            "lasts_until_ms": _lasts_until(money, days, visit.now_ms),
            "today": days[-1],
            "month": month,
            "days": days,
            "models": [one for one in explored.ranking if one.group][:6],
            "budgets": await _budgets(visit),
            "recent": recent,
            "failures": [FailureRow(one, words_of(one.code, one.status)) for one in recent.failures[:6]],
            "changes": await _changes(visit),
            "object_name": lambda object_id: _name(visit, object_id),
            "is_new": is_new,
            "clients": _first_call(visit, account) if is_new else [],
        },
    )


async def _budgets(visit: Visit) -> list[BudgetRow]:
    """Those that bind now, the fullest first."""
    services = visit.context.services
    found = await budgets.list_page(services, visit.actor)
    rows = []
    for one in found.records:
        counter = services.counters.present(one.id, visit.now_ms)
        if counter is not None:
            rows.append(BudgetRow(one, counter, name_of(visit, one.level, one.object_id)))
    rows.sort(key=lambda row: -(row.counter.spent + row.counter.held) * 1_000 // max(1, row.budget.amount))
    return rows[:_BUDGETS]


async def _changes(visit: Visit) -> Sequence[AuditRow]:
    if not visit.may("audit.list"):
        return ()
    found = await audit.list_page(visit.context.services, visit.actor, limit=_CHANGES_READ)
    return [row for row in found.records if not row.action.startswith(_NO_CHANGE)][:_CHANGES]


def _name(visit: Visit, object_id: str) -> str:
    """Of what a change is about, where it has a name; what else it is, its id says."""
    levels = {"key": "key", "proj": "project", "acc": "account"}
    level = levels.get(object_id.partition("_")[0])
    return "" if level is None else name_of(visit, level, object_id)


def _first_call(visit: Visit, account: Account) -> list[snippets.Client]:
    """What to paste, with a place for the key."""
    model = models.for_first_call(visit.context.services, account)
    name = "MODEL" if model is None else model.id
    return [snippets.filled(one, visit.base_url, "YOUR_KEY", name) for one in snippets.served()["chat"]][:3]


def _lasts_until(money: SpendingCounter, days: Sequence[UsageSum], now_ms: int) -> int | None:
    """When the money is used up if the last seven days go on; None: nothing was spent, or nothing binds."""
    last = days[-_PACE_DAYS:]
    spent = sum(one.charge for one in last)
    if money.limit is None or not spent:
        return None
    left = money.limit - money.spent - money.held
    lasts_ms = left * (now_ms - last[0].start_ms) // spent
    return now_ms + lasts_ms if 0 <= lasts_ms < 366 * DAY_MS else None

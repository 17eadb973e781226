"""/console/: what there is left, what was spent, and what went wrong. Before the first call: how to make it."""

from tollhouse.billing.holds import SpendingCounter
from tollhouse.console.route import SIGNED_IN, Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.roll_up import DAY_MS, UsageSum
from tollhouse.services import budgets, usage

_DAYS = 30


@page("GET /console/", may=SIGNED_IN)
async def overview(visit: Visit) -> Answer:
    services, account = visit.context.services, visit.account
    if account is None:
        return Elsewhere("/console/platform/accounts")
    days = await usage.report(services, visit.actor, by="day", mode="live")
    today_ms = visit.now_ms - visit.now_ms % DAY_MS
    by_day = {int(one.group): one for one in days}
    models = await usage.report(services, visit.actor, by="model", mode="live")
    found = await budgets.list_page(services, visit.actor)
    counters = [(one, counter) for one in found.records if (counter := services.counters.present(one.id, visit.now_ms))]
    money = services.counters.money(account.id)
    return Shown(
        "overview.html",
        {
            "account": account,
            "money": money,
            "available": None if money.limit is None else money.limit - money.spent - money.held,
            "lasts_until_ms": _lasts_until(money, by_day, today_ms, visit.now_ms),
            "today": _charge(by_day.get(today_ms)),
            "this_month": sum(one.charge for one in days),
            "calls": sum(one.calls for one in days),
            "failed": sum(one.failed for one in days),
            "days": [(start_ms, by_day.get(start_ms)) for start_ms in _starts(today_ms)],
            "models": sorted((one for one in models if one.group), key=lambda one: -one.charge)[:6],
            "budgets": counters,
            "is_new": not days,
        },
    )


def _starts(today_ms: int) -> list[int]:
    return [today_ms - back * DAY_MS for back in range(_DAYS - 1, -1, -1)]


def _charge(one: UsageSum | None) -> int:
    return 0 if one is None else one.charge


def _lasts_until(money: SpendingCounter, by_day: dict[int, UsageSum], today_ms: int, now_ms: int) -> int | None:
    """When the money is used up if the last seven days go on; None: nothing was spent, or nothing binds."""
    spent = sum(_charge(by_day.get(today_ms - back * DAY_MS)) for back in range(7))
    if money.limit is None or not spent:
        return None
    left = money.limit - money.spent - money.held
    span_ms = 6 * DAY_MS + now_ms - today_ms
    lasts_ms = left * span_ms // spent
    return now_ms + lasts_ms if 0 <= lasts_ms < 366 * DAY_MS else None

"""/api/v1/overview, /api/v1/account_figures: accounts at a glance, for themselves and for operators."""

from msgspec import Struct

from tollhouse.core.amount import format_usd
from tollhouse.edge.admin.budgets import BudgetObject, budget_object
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import PageObject, fill
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, AdminRequest, route
from tollhouse.edge.admin.usage import UsageObject, usage_object
from tollhouse.edge.admin.usage_series import UsageSpanObject, span_object
from tollhouse.services import account_figures, budgets, overview
from tollhouse.services.account_figures import AccountFigures
from tollhouse.services.given.overview import FiguresQuery, OverviewQuery
from tollhouse.services.pages import Page


class FailureCountObject(Struct, frozen=True, kw_only=True):
    """`last_request_id`: the newest of them."""

    code: str
    status: int
    count: int
    last_request_id: str


class FirstTokenObject(Struct, frozen=True, kw_only=True):
    """How long half of the streams, and 95 of a hundred, took to their first byte at most, in the last `hours`."""

    p50_ms: int
    p95_ms: int
    calls: int
    hours: int


class OverviewObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="overview"):
    """Of live calls, by days of the account's zone. `available_usd` null: nothing binds. `lasts_until`: when the money
    is used up if the last seven days go on. `days`: the last 31, today last. `failures` and `first_token`: of the last
    24 hours, or since `since` where more was called than is read."""

    account_id: str
    available_usd: str | None
    held_usd: str
    lasts_until: str | None
    today: UsageSpanObject
    month: UsageSpanObject
    days: tuple[UsageSpanObject, ...]
    models: tuple[UsageObject, ...]
    budgets: tuple[BudgetObject, ...]
    failures: tuple[FailureCountObject, ...]
    first_token: FirstTokenObject | None
    since: str | None


class AccountFiguresObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="account_figures"):
    """Of the live calls of the last 30 days of UTC, today included. `left_usd` null: no limit. `cost_usd`: at most what
    providers take, `margin_usd`: at least what is left of it; null where a cost is not known, and for those who may
    not see costs."""

    account_id: str
    name: str
    plan: str
    state: str
    left_usd: str | None
    spent_usd: str
    cost_usd: str | None
    margin_usd: str | None
    calls: int
    failed: int
    last_used_at: str | None


@route("accounts.overview", "GET /api/v1/overview", ACCOUNT, "An account at a glance: what is left, spent, failed")
async def show(context: AdminContext, request: AdminRequest[OverviewQuery]) -> OverviewObject:
    found = await overview.show(context.services, request.actor, request.body.account)
    unconfirmed = await budgets.unconfirmed(context.services, tuple(one.budget for one in found.budgets))
    recent = found.recent
    return OverviewObject(
        account_id=found.account.id,
        available_usd=_usd(found.available),
        held_usd=format_usd(found.money.held),
        lasts_until=written(found.lasts_until_ms),
        today=span_object(found.today),
        month=span_object(found.month),
        days=tuple(map(span_object, found.days)),
        models=tuple(usage_object("model", one) for one in found.models),
        budgets=tuple(budget_object(one.budget, one.counter, unconfirmed) for one in found.budgets),
        failures=tuple(fill(FailureCountObject, one, last_request_id=one.last.id) for one in recent.failures),
        first_token=None if recent.first_token is None else fill(FirstTokenObject, recent.first_token),
        since=written(recent.since_ms),
    )


@route("accounts.figures", "GET /api/v1/account_figures", PLATFORM, "What accounts have left, spent and cost")
async def figures(context: AdminContext, request: AdminRequest[FiguresQuery]) -> PageObject[AccountFiguresObject]:
    services, body = context.services, request.body
    if body.account is None:
        found = await account_figures.list_page(services, request.actor, limit=body.limit, after=body.after)
    else:
        found = Page((await account_figures.show(services, request.actor, body.account),))
    sees_costs = request.may("margins.list")
    return PageObject(data=tuple(_figures(one, sees_costs) for one in found.records), next=found.next)


def _figures(one: AccountFigures, sees_costs: bool) -> AccountFiguresObject:
    return AccountFiguresObject(
        account_id=one.account.id,
        name=one.account.name,
        plan=one.account.plan,
        state=one.account.state,
        left_usd=_usd(one.left),
        spent_usd=format_usd(one.spent),
        cost_usd=_usd(one.cost) if sees_costs else None,
        margin_usd=_usd(one.margin) if sees_costs else None,
        calls=one.calls,
        failed=one.failed,
        last_used_at=written(one.seen_ms),
    )


def _usd(amount: int | None) -> str | None:
    return None if amount is None else format_usd(amount)

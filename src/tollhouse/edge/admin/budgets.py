"""/api/v1/budgets"""

from collections.abc import Container
from typing import Any

from msgspec import Struct, structs

from tollhouse.billing.budgets import Budget
from tollhouse.billing.holds import SpendingCounter
from tollhouse.core.amount import format_usd
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import PageObject, page_object
from tollhouse.edge.admin.route import ACCOUNT, AdminRequest, AdminRoute, NoParameters, Paging
from tollhouse.services import budgets


class BudgetObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="budget"):
    """`of_id`: the account, project or key it stands on. What is used, held and left is of its present window, which
    ends at `resets_at`; null for one that binds no more."""

    id: str
    account_id: str
    level: str
    of_id: str
    amount_usd: str
    window: str
    zone: str
    model: str | None
    soft: tuple[int, ...]
    mail: str | None
    mail_state: str | None  # unconfirmed: its reader was asked, and gets nothing else before they agree; confirmed
    webhook: str | None
    managed_by_operator: bool
    created_at: str | None
    used_usd: str | None
    held_usd: str | None
    remaining_usd: str | None
    resets_at: str | None


class SetBudgetObject(BudgetObject, frozen=True, kw_only=True, tag_field="object", tag="budget"):
    """`secret`: what its webhook is signed with, shown once; null where there is no webhook, or no new one."""

    secret: str | None


class NewBudget(Struct, frozen=True, kw_only=True):
    """On one of `account`, `project` and `key`. `soft`: percentages at which people are told: the account's owners and
    `mail` by mail, `webhook` by a signed POST."""

    amount_usd: str
    window: str  # total, day, week, month
    account: str | None = None
    project: str | None = None
    key: str | None = None
    zone: str | None = None
    model: str | None = None
    soft: tuple[int, ...] = ()
    mail: str | None = None
    webhook: str | None = None
    system: bool = False  # the operator's: owners can neither raise nor remove it


class BudgetQuery(Paging, frozen=True, kw_only=True):
    account: str | None = None


async def put(context: AdminContext, request: AdminRequest[NewBudget]) -> SetBudgetObject:
    body = request.body
    made = await budgets.put(
        context.services,
        request.actor,
        amount_usd=body.amount_usd,
        window=body.window,
        account=body.account,
        project=body.project,
        key=body.key,
        zone=body.zone,
        model=body.model,
        soft=body.soft,
        mail=body.mail,
        webhook=body.webhook,
        system=body.system,
    )
    secret = await budgets.reveal(context.services, made)
    shown = _shown(context, request, made, await budgets.unconfirmed(context.services, (made,)))
    return SetBudgetObject(**structs.asdict(shown), secret=secret)


async def list_all(context: AdminContext, request: AdminRequest[BudgetQuery]) -> PageObject[BudgetObject]:
    body = request.body
    found = await budgets.list_page(
        context.services, request.actor, account=body.account, after=body.after, count=body.limit
    )
    unconfirmed = await budgets.unconfirmed(context.services, found.records)
    return page_object(found, lambda budget: _shown(context, request, budget, unconfirmed))


async def remove(context: AdminContext, request: AdminRequest[NoParameters]) -> BudgetObject:
    removed = await budgets.remove(context.services, request.actor, request.id)
    return budget_object(removed, None, await budgets.unconfirmed(context.services, (removed,)))


def _shown(
    context: AdminContext, request: AdminRequest[Any], budget: Budget, unconfirmed: Container[str]
) -> BudgetObject:
    return budget_object(budget, context.services.counters.present(budget.id, request.now_ms), unconfirmed)


def budget_object(budget: Budget, counter: SpendingCounter | None, unconfirmed: Container[str]) -> BudgetObject:
    """unconfirmed: ids of budgets."""
    mail_state = None if budget.mail is None else "unconfirmed" if budget.id in unconfirmed else "confirmed"
    return BudgetObject(
        id=budget.id,
        account_id=budget.account_id,
        level=budget.level,
        of_id=budget.object_id,
        amount_usd=format_usd(budget.amount),
        window=budget.kind,
        zone=budget.zone,
        model=budget.model,
        soft=budget.soft,
        mail=budget.mail,
        mail_state=mail_state,
        webhook=budget.webhook,
        managed_by_operator=budget.system,
        created_at=written(budget.created_at_ms),
        used_usd=None if counter is None else format_usd(counter.spent),
        held_usd=None if counter is None else format_usd(counter.held),
        remaining_usd=None if counter is None else format_usd(counter.left() or 0),
        resets_at=None if counter is None else written(counter.resets_at_ms),
    )


_PATH = "/api/v1/budgets"
ROUTES = (
    AdminRoute(
        "budgets.list", "GET", _PATH, list_all, ACCOUNT, "Budgets, newest first", PageObject[BudgetObject], BudgetQuery
    ),
    AdminRoute("budgets.set", "POST", _PATH, put, ACCOUNT, "Set a budget", SetBudgetObject, NewBudget, status=201),
    AdminRoute(
        "budgets.remove", "POST", _PATH + "/{id}/remove", remove, ACCOUNT, "Let a budget bind no more", BudgetObject
    ),
)

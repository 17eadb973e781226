"""/api/v1/budgets"""

from collections.abc import Container
from typing import Any

from msgspec import Struct, structs

from tollhouse.billing.book import Purse
from tollhouse.billing.budgets import Budget
from tollhouse.core.amount import format_usd
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import Page, page_object
from tollhouse.edge.admin.route import ACCOUNT, Asked, Nothing, Paging, Route
from tollhouse.office import budgets


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


class BudgetsAsked(Paging, frozen=True, kw_only=True):
    account: str | None = None


async def put(desk: Desk, asked: Asked[NewBudget]) -> SetBudgetObject:
    given = asked.given
    made = await budgets.put(
        desk.office,
        asked.actor,
        amount_usd=given.amount_usd,
        window=given.window,
        account=given.account,
        project=given.project,
        key=given.key,
        zone=given.zone,
        model=given.model,
        soft=given.soft,
        mail=given.mail,
        webhook=given.webhook,
        system=given.system,
    )
    secret = await budgets.reveal(desk.office, made)
    shown = _shown(desk, asked, made, await budgets.unconfirmed(desk.office, (made,)))
    return SetBudgetObject(**structs.asdict(shown), secret=secret)


async def every(desk: Desk, asked: Asked[BudgetsAsked]) -> Page[BudgetObject]:
    given = asked.given
    found = await budgets.list_page(
        desk.office, asked.actor, account=given.account, after=given.after, count=given.limit
    )
    unconfirmed = await budgets.unconfirmed(desk.office, found.records)
    return page_object(found, lambda budget: _shown(desk, asked, budget, unconfirmed))


async def remove(desk: Desk, asked: Asked[Nothing]) -> BudgetObject:
    removed = await budgets.remove(desk.office, asked.actor, asked.id)
    return budget_object(removed, None, await budgets.unconfirmed(desk.office, (removed,)))


def _shown(desk: Desk, asked: Asked[Any], budget: Budget, unconfirmed: Container[str]) -> BudgetObject:
    return budget_object(budget, desk.office.purses.present(budget.id, asked.now_ms), unconfirmed)


def budget_object(budget: Budget, purse: Purse | None, unconfirmed: Container[str]) -> BudgetObject:
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
        used_usd=None if purse is None else format_usd(purse.spent),
        held_usd=None if purse is None else format_usd(purse.held),
        remaining_usd=None if purse is None else format_usd(purse.left() or 0),
        resets_at=None if purse is None else written(purse.resets_at_ms),
    )


_PATH = "/api/v1/budgets"
ROUTES = (
    Route("budgets.list", "GET", _PATH, every, ACCOUNT, "Budgets, newest first", Page[BudgetObject], BudgetsAsked),
    Route("budgets.set", "POST", _PATH, put, ACCOUNT, "Set a budget", SetBudgetObject, NewBudget, status=201),
    Route("budgets.remove", "POST", _PATH + "/{id}/remove", remove, ACCOUNT, "Let a budget bind no more", BudgetObject),
)

"""/api/v1/budgets"""

from collections.abc import Container
from typing import Any

from msgspec import Struct, structs

from tollhouse.billing.budgets import Budget, BudgetFields
from tollhouse.billing.holds import SpendingCounter
from tollhouse.core.amount import format_usd
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import written
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import ACCOUNT, AdminRequest, NoParameters, route
from tollhouse.services import budgets, rehearsal
from tollhouse.services.given.budgets import BudgetQuery, BudgetRehearsal, NewBudget


class BudgetObject(BudgetFields, frozen=True, tag_field="object", tag="budget"):
    """`of_id`: the account, project or key it stands on. What is used, held and left is of its present window, which
    ends at `resets_at`; null for one that binds no more."""

    id: str
    account_id: str
    level: str
    of_id: str
    amount_usd: str
    window: str
    zone: str
    mail_state: str | None  # unconfirmed: its reader was asked, and gets nothing else before they agree; confirmed
    managed_by_operator: bool
    created_at: str | None
    used_usd: str | None
    held_usd: str | None
    remaining_usd: str | None
    resets_at: str | None


class SetBudgetObject(BudgetObject, frozen=True, tag_field="object", tag="budget"):
    """`secret`: what its webhook is signed with, shown once; null where there is no webhook, or no new one."""

    secret: str | None


class RehearsalObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="budget_rehearsal"):
    """`reached_on`: days of UTC, of the last `days`, by whose end the window had spent the amount. `most_usd`: what was
    spent at most in one window."""

    amount_usd: str
    days: int
    reached_on: tuple[str, ...]
    most_usd: str


@route("budgets.list", "GET /api/v1/budgets", ACCOUNT, "Budgets, newest first")
async def list_all(context: AdminContext, request: AdminRequest[BudgetQuery]) -> PageObject[BudgetObject]:
    found = await budgets.list_page(context.services, request.actor, **request.given)
    unconfirmed = await budgets.unconfirmed(context.services, found.records)
    return page_object(found, lambda budget: _shown(context, request, budget, unconfirmed))


@route("budgets.set", "POST /api/v1/budgets", ACCOUNT, "Set a budget", status=201)
async def put(context: AdminContext, request: AdminRequest[NewBudget]) -> SetBudgetObject:
    made = await budgets.put(context.services, request.actor, **request.given)
    secret = await budgets.reveal(context.services, made)
    shown = _shown(context, request, made, await budgets.unconfirmed(context.services, (made,)))
    return SetBudgetObject(**structs.asdict(shown), secret=secret)


@route(
    "budgets.rehearse", "GET /api/v1/budgets/rehearsal", ACCOUNT, "On which of the last days a budget had been used up"
)
async def rehearse(context: AdminContext, request: AdminRequest[BudgetRehearsal]) -> RehearsalObject:
    found = await rehearsal.rehearse(context.services, request.actor, **request.given)
    return RehearsalObject(
        amount_usd=format_usd(found.amount),
        days=rehearsal.DAYS,
        reached_on=tuple((written(day_ms) or "")[:10] for day_ms in found.days),
        most_usd=format_usd(found.most),
    )


@route("budgets.remove", "POST /api/v1/budgets/{id}/remove", ACCOUNT, "Let a budget bind no more")
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
    return fill(
        BudgetObject,
        budget,
        of_id=budget.object_id,
        window=budget.kind,
        mail_state=mail_state,
        managed_by_operator=budget.system,
        used_usd=None if counter is None else format_usd(counter.spent),
        held_usd=None if counter is None else format_usd(counter.held),
        remaining_usd=None if counter is None else format_usd(counter.left() or 0),
        resets_at=None if counter is None else written(counter.resets_at_ms),
    )

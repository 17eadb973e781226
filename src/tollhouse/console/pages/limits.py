"""/console/budgets/limits: how fast may be called: what holds now, what is used of it, and limits that people set."""

from collections.abc import Mapping
from typing import Final

from tollhouse.console.objects import chosen, name_of, named, of_account
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import Account
from tollhouse.core.failure import BadRequest, Conflict, Failure, PathNotFound, RateLimited, ScopeMissing
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import limits

_TROUBLE = (BadRequest, Conflict, PathNotFound, RateLimited, ScopeMissing)
_ENDS_DAYS: Final[Mapping[str, int]] = {"never": 0, "1d": 1, "7d": 7, "30d": 30}


@page("GET /console/budgets/limits", may="limits.show")
async def listing(visit: Visit) -> Answer:
    return await _listing(visit, visit.shown_account)


@page("POST /console/budgets/limits", may="limits.set")
async def put(visit: Visit) -> Answer:
    account = visit.shown_account
    try:
        days = _ENDS_DAYS.get(visit.given("until") or "never")
        if days is None:
            raise BadRequest("until: choose one of those that are offered", param="until")
        await limits.put(
            visit.context.services,
            visit.actor,
            {visit.given("kind"): _figure(visit.given("most"))},
            model=visit.given("model") or None,
            note=visit.given("note"),
            until_ms=visit.now_ms + days * DAY_MS if days else None,
            **named(visit.given("on"), account.id),
        )
    except _TROUBLE as trouble:
        return await _listing(visit, account, trouble)
    return Elsewhere("/console/budgets/limits")


@page("POST /console/budgets/limits/{id}/remove", may="limits.remove")
async def remove(visit: Visit) -> Answer:
    await limits.remove(visit.context.services, visit.actor, visit.id)
    return Elsewhere("/console/budgets/limits")


async def _listing(visit: Visit, account: Account, trouble: Failure | None = None) -> Shown:
    services = visit.context.services
    shown = await limits.show(services, visit.actor, account=account.id if visit.actor.account_id is None else None)
    objects = await of_account(visit, account) if visit.may("limits.set") else None
    return Shown(
        "limits.html",
        {
            "limits": [(one, name_of(visit, *_place(one))) for one in shown],
            "objects": objects,
            "on": ("", "") if objects is None else chosen(visit, objects),
            "kinds": services.rules.names,
            "ends": list(_ENDS_DAYS),
            "given": visit.given,
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )


def _place(one: limits.LimitUsage) -> tuple[str, str]:
    if one.rule is not None:
        return one.rule.level, one.rule.object_id
    assert one.shown is not None, "what no rule set is the plan's, and holds"
    return one.shown.level, one.shown.id


def _figure(text: str) -> int:
    """Raises BadRequest."""
    digits = text.replace(",", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise BadRequest("most: write a whole number", param="most")
    return int(digits)

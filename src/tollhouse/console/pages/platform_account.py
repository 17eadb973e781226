"""/console/platform/accounts/{id}: one account, for those who run the platform: its money, terms, limits, people."""

from collections.abc import Awaitable, Mapping
from typing import Final

from tollhouse.billing.prices import write_multiplier
from tollhouse.console.objects import name_of
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.account import Account
from tollhouse.core.failure import BadRequest, Conflict, Failure, PathNotFound, RateLimited
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import account_figures, accounts, audit, budgets, keys, limits
from tollhouse.services import credits as credit
from tollhouse.services.given.budgets import WINDOWS

_TROUBLE = (BadRequest, Conflict, PathNotFound, RateLimited)
_ENDS_DAYS: Final[Mapping[str, int]] = {"1d": 1, "7d": 7, "30d": 30, "never": 0}
_EXPIRY_DAYS: Final[Mapping[str, int]] = {"never": 0, "30d": 30, "90d": 90, "365d": 365}
_FEW: Final = 10
_SHOWN: Final = 50


@page("GET /console/platform/accounts/{id}", may="accounts.show")
async def one(visit: Visit) -> Answer:
    return await _shown(visit)


@page("POST /console/platform/accounts/{id}/grant", may="credits.grant")
async def grant(visit: Visit) -> Answer:
    days = _EXPIRY_DAYS.get(visit.given("expires"), 0)
    given = credit.grant(
        visit.context.services,
        visit.actor,
        account=(await _account(visit)).id,
        amount_usd=_usd(visit.given("amount_usd")),
        reason=visit.given("reason") or None,
        expires_at_ms=visit.now_ms + days * DAY_MS if days else None,
    )
    return await _done(visit, given, "grant")


@page("POST /console/platform/accounts/{id}/adjust", may="credits.adjust")
async def adjust(visit: Visit) -> Answer:
    set_right = credit.adjust(
        visit.context.services,
        visit.actor,
        account=(await _account(visit)).id,
        amount_usd=_usd(visit.given("amount_usd")),
        reason=visit.given("reason"),
    )
    return await _done(visit, set_right, "adjust")


@page("POST /console/platform/accounts/{id}/terms", may="accounts.set")
async def terms(visit: Visit) -> Answer:
    """What is left empty stays as it is."""
    changed = accounts.change(
        visit.context.services,
        visit.actor,
        (await _account(visit)).id,
        credit_limit_usd=_usd(visit.given("credit_limit_usd")) or None,
        price_list=visit.given("price_list") or None,
        multiplier=visit.given("multiplier") or None,
        groups=tuple(visit.given("groups").replace(",", " ").split()),
    )
    return await _done(visit, changed, "terms")


@page("POST /console/platform/accounts/{id}/suspend", may="accounts.suspend")
async def suspend(visit: Visit) -> Answer:
    account = await _account(visit)
    if not visit.given("reason"):
        return await _shown(visit, BadRequest("reason: say why, the account's people read it", param="reason"), "state")
    stopped = accounts.suspend(visit.context.services, visit.actor, account.id, visit.given("reason"))
    return await _done(visit, stopped, "state")


@page("POST /console/platform/accounts/{id}/resume", may="accounts.resume")
async def resume(visit: Visit) -> Answer:
    account = await _account(visit)
    resumed = accounts.resume(visit.context.services, visit.actor, account.id, visit.given("reason") or None)
    return await _done(visit, resumed, "state")


@page("POST /console/platform/accounts/{id}/limits", may="accounts.set")
async def set_limit(visit: Visit) -> Answer:
    account, digits = await _account(visit), visit.given("most").replace(",", "").replace(" ", "")
    days = _ENDS_DAYS.get(visit.given("until"))
    if days is None:
        return await _shown(visit, BadRequest("until: choose one of those that are offered", param="until"), "limit")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        return await _shown(visit, BadRequest("most: write a whole number", param="most"), "limit")
    put = limits.put(
        visit.context.services,
        visit.actor,
        {visit.given("kind"): int(digits)},
        account=account.id,
        model=visit.given("model") or None,
        note=visit.given("note"),
        until_ms=visit.now_ms + days * DAY_MS if days else None,
    )
    return await _done(visit, put, "limit")


@page("POST /console/platform/accounts/{id}/limits/remove", may="accounts.set")
async def remove_limit(visit: Visit) -> Answer:
    account = await _account(visit)
    standing = await limits.show(visit.context.services, visit.actor, account=account.id)
    if not any(one.rule is not None and one.rule.id == visit.given("limit") for one in standing):
        return await _shown(visit, PathNotFound("there is no such limit on this account"), "limit")
    return await _done(visit, limits.remove(visit.context.services, visit.actor, visit.given("limit")), "limit")


@page("POST /console/platform/accounts/{id}/ceiling", may="accounts.set")
async def set_ceiling(visit: Visit) -> Answer:
    """A budget that its owners can neither raise nor remove."""
    put = budgets.put(
        visit.context.services,
        visit.actor,
        account=(await _account(visit)).id,
        amount_usd=_usd(visit.given("amount_usd")),
        window=visit.given("window"),
        system=True,
    )
    return await _done(visit, put, "ceiling")


@page("POST /console/platform/accounts/{id}/ceiling/remove", may="accounts.set")
async def remove_ceiling(visit: Visit) -> Answer:
    account, services = await _account(visit), visit.context.services
    found = await budgets.list_page(services, visit.actor, account=account.id, limit=_SHOWN)
    if not any(one.system and one.id == visit.given("budget") for one in found.records):
        return await _shown(visit, PathNotFound("there is no such budget of the operator on this account"), "ceiling")
    return await _done(visit, budgets.remove(services, visit.actor, visit.given("budget")), "ceiling")


async def _account(visit: Visit) -> Account:
    return await accounts.show(visit.context.services, visit.actor, visit.id)


async def _done(visit: Visit, change: Awaitable[object], form: str) -> Answer:
    try:
        await change
    except _TROUBLE as trouble:
        return await _shown(visit, trouble, form)
    return Elsewhere(f"/console/platform/accounts/{visit.id}#{form}")


def _usd(text: str) -> str:
    return text.replace("$", "").replace(",", "")


async def _shown(visit: Visit, trouble: Failure | None = None, form: str = "") -> Shown:
    """Eight questions to the database. form: the one that the trouble is about."""
    services, actor = visit.context.services, visit.actor
    figures = await account_figures.show(services, actor, visit.id)
    account = figures.account
    found = await budgets.list_page(services, actor, account=account.id, limit=_SHOWN)
    standing = await limits.show(services, actor, account=account.id)
    made = await keys.list_page(services, actor, account=account.id, limit=_SHOWN)
    values: dict[str, object] = {
        "figures": figures,
        "account": account,
        "multiplier": write_multiplier(account.multiplier_ppm),
        "price_lists": sorted(services.prices.names()),
        "limits": standing,
        "budgets": [
            (one, name_of(visit, one.level, one.object_id), services.counters.present(one.id, visit.now_ms))
            for one in found.records
        ],
        "keys": made,
        "entries": (),
        "people": (),
        "changes": (),
        "kinds": services.rules.names,
        "windows": WINDOWS,
        "ends": list(_ENDS_DAYS),
        "expiries": list(_EXPIRY_DAYS),
        "given": lambda name, of: visit.given(name) if of == form else "",
        "form": form,
        "trouble": trouble,
    }
    if visit.may("credits.list"):
        values["entries"] = (await credit.list_page(services, actor, account=account.id, limit=_FEW)).records
    if visit.may("people.list"):
        values["people"] = await account_figures.people_of(services, actor, account.id)
    if visit.may("audit.list"):
        values["changes"] = (await audit.list_page(services, actor, account=account.id, limit=_FEW)).records
    return Shown("platform_account.html", values, 200 if trouble is None else trouble.status)

"""/console/platform/prices: price lists; files of prices as drafts, what they would change, putting them in force."""

from typing import Final

from tollhouse.billing.price_list import DEFAULT
from tollhouse.console.local_time import instant_ms
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest, Conflict, Failure
from tollhouse.core.price import PriceDraft
from tollhouse.services import price_lists, replay
from tollhouse.services.pages import Page

_SHOWN: Final = 300
_CALLS_MAX: Final = 1_500
"""That one preview reads; it goes on where it stopped."""
_DAYS: Final = (7, 30, 90)


@page("GET /console/platform/prices", may="prices.list")
async def listing(visit: Visit) -> Answer:
    return await _listing(visit)


@page("POST /console/platform/prices", may="price_drafts.import")
async def bring(visit: Visit) -> Answer:
    """Takes what was pasted, CSV or JSON, as a draft."""
    try:
        drafted = await price_lists.bring(
            visit.context.services, visit.actor, visit.given("prices").encode(), visit.given("list") or DEFAULT
        )
    except BadRequest as trouble:
        return await _listing(visit, trouble)
    return Elsewhere(f"/console/platform/prices/{drafted.draft.id}")


@page("GET /console/platform/prices/{id}", may="price_drafts.show")
async def draft(visit: Visit) -> Answer:
    return await _draft(visit)


@page("POST /console/platform/prices/{id}/activate", may="price_drafts.activate")
async def activate(visit: Visit) -> Answer:
    at = visit.given("at")
    try:
        at_ms = instant_ms(at, "at", visit.zone) if at else None
        await price_lists.activate(visit.context.services, visit.actor, visit.id, at_ms)
    except (BadRequest, Conflict) as trouble:
        return await _draft(visit, trouble)
    return Elsewhere(f"/console/platform/prices/{visit.id}")


async def _listing(visit: Visit, trouble: Failure | None = None) -> Shown:
    services = visit.context.services
    lists = sorted(services.prices.names())
    chosen = visit.asked("list") or DEFAULT
    found = await price_lists.rows(
        services,
        visit.actor,
        list=chosen,
        model=visit.asked("model") or None,
        past=visit.asked("past") == "yes",
    )
    drafts: Page[PriceDraft] = Page(())
    if visit.may("price_drafts.list"):
        drafts = await price_lists.drafts(services, visit.actor, limit=20, after=visit.asked("after") or None)
    return Shown(
        "platform_prices.html",
        {
            "rows": found[:_SHOWN],
            "more": max(0, len(found) - _SHOWN),
            "lists": lists,
            "asked": {"list": chosen, "model": visit.asked("model"), "past": visit.asked("past")},
            "drafts": drafts,
            "given": visit.given,
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )


async def _draft(visit: Visit, trouble: Failure | None = None) -> Shown:
    services = visit.context.services
    drafted = await price_lists.draft_of(services, visit.actor, visit.id)
    preview = None
    if visit.asked("days") and visit.may("price_drafts.preview"):
        days = visit.asked("days")
        if not days.isdigit() or int(days) not in _DAYS:
            raise BadRequest("days: choose one of those that are offered", param="days")
        preview = await replay.replay(
            services,
            visit.actor,
            draft=visit.id,
            days=int(days),
            after=visit.asked("after") or None,
            calls_max=_CALLS_MAX,
            portion=_CALLS_MAX,
        )
    return Shown(
        "platform_price_draft.html",
        {
            "drafted": drafted,
            "draft": drafted.draft,
            "changes": await price_lists.changes(services, visit.actor, drafted.draft),
            "preview": preview,
            "accounts": services.directory.accounts,
            "days": visit.asked("days"),
            "offered": _DAYS,
            "given": visit.given,
            "trouble": trouble,
        },
        200 if trouble is None else trouble.status,
    )

"""/console/requests: the calls of an account, newest first, and each one's receipt."""

from tollhouse.billing.endings import explained
from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.usage import BUCKETS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import receipts
from tollhouse.services.pages import Page

_FILTERS = ("status", "model", "key")


@page("GET /console/requests", may="requests.list")
async def listing(visit: Visit) -> Answer:
    services, trouble = visit.context.services, None
    asked = {name: visit.asked(name) for name in _FILTERS}
    found: Page[UsageRecord] = Page(())
    try:
        wanted = receipts.wanted_by(
            services,
            visit.actor,
            status=asked["status"] or None,
            model=asked["model"] or None,
            key=asked["key"] or None,
        )
        found = await receipts.list_page(services, wanted, after=visit.asked("after") or None)
    except (BadRequest, PathNotFound) as failure:
        trouble = failure
    keys = services.directory.keys
    names = {call.key_id: keys[call.key_id].name for call in found.records if call.key_id in keys}
    return Shown(
        "requests.html",
        {"calls": found.records, "next": found.next, "asked": asked, "names": names, "trouble": trouble},
        200 if trouble is None else trouble.status,
    )


@page("GET /console/requests/{id}", may="requests.show")
async def one(visit: Visit) -> Answer:
    services = visit.context.services
    receipt = await receipts.show(services, visit.actor, visit.id)
    call = receipt.call
    key = services.directory.keys.get(call.key_id)
    return Shown(
        "request.html",
        {
            "receipt": receipt,
            "call": call,
            "key": key,
            "explained": explained(call),
            "usage": [(name, getattr(call.usage, name)) for name in BUCKETS if getattr(call.usage, name)],
            "base_url": visit.base_url,
            "show_provider": visit.context.settings.platform.show_provider,
        },
    )

"""/console/accounts: the accounts of the platform, for those who run it."""

from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.services import accounts


@page("GET /console/accounts", may="accounts.list")
async def listing(visit: Visit) -> Answer:
    services = visit.context.services
    found = await accounts.list_page(services, visit.actor, after=visit.asked("after") or None)
    return Shown(
        "accounts.html",
        {"accounts": [(one, services.counters.money(one.id)) for one in found.records], "next": found.next},
    )

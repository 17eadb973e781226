"""/console/platform/accounts: the accounts of the platform, for those who run it."""

from typing import Final

from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.services import account_figures

_SHOWN: Final = 25


@page("GET /console/platform/accounts", may="accounts.figures")
async def listing(visit: Visit) -> Answer:
    found = await account_figures.list_page(
        visit.context.services, visit.actor, after=visit.asked("after") or None, limit=_SHOWN
    )
    return Shown("platform_accounts.html", {"accounts": found.records, "next": found.next})

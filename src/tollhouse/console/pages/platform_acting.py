"""/console/platform/accounts/{id}/act and /console/platform/look/end: an account's pages, as its members see them."""

from tollhouse.console.route import SIGNED_IN, Answer, Elsewhere, page
from tollhouse.console.visit import Visit
from tollhouse.services import acting


@page("POST /console/platform/accounts/{id}/act", may="accounts.act_as")
async def begin(visit: Visit) -> Answer:
    assert visit.visitor is not None
    await acting.begin(visit.context.services, visit.actor, visit.visitor.session, visit.id)
    return Elsewhere("/console/")


@page("POST /console/platform/look/end", may=SIGNED_IN)
async def end(visit: Visit) -> Answer:
    assert visit.visitor is not None
    account_id = await acting.end(visit.context.services, visit.actor, visit.visitor.session)
    return Elsewhere(f"/console/platform/accounts{f'/{account_id}' if account_id else ''}")

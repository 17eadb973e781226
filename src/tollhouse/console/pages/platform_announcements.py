"""/console/platform/announcements: what everybody is told of incidents; those who run the platform write it here."""

from collections.abc import Awaitable

from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.announcement import Announcement
from tollhouse.core.failure import BadRequest, Conflict, Failure
from tollhouse.services import announcements

_HERE = "/console/platform/announcements"


@page("GET /console/platform/announcements", may="announcements.list")
async def listing(visit: Visit) -> Answer:
    return await _shown(visit)


@page("POST /console/platform/announcements", may="announcements.open")
async def begin(visit: Visit) -> Answer:
    models = tuple(visit.given("models").replace(",", " ").split())
    done = announcements.begin(
        visit.context.services, visit.actor, title=visit.given("title"), text=visit.given("text"), models=models
    )
    return await _done(visit, done)


@page("POST /console/platform/announcements/{id}/write", may="announcements.write")
async def write(visit: Visit) -> Answer:
    return await _done(
        visit, announcements.write(visit.context.services, visit.actor, visit.id, text=visit.given("text"))
    )


@page("POST /console/platform/announcements/{id}/close", may="announcements.close")
async def close(visit: Visit) -> Answer:
    return await _done(
        visit, announcements.close(visit.context.services, visit.actor, visit.id, text=visit.given("text"))
    )


async def _done(visit: Visit, change: Awaitable[Announcement]) -> Answer:
    try:
        one = await change
    except (BadRequest, Conflict) as trouble:
        return await _shown(visit, trouble)
    return Elsewhere(f"{_HERE}#{one.id}")


async def _shown(visit: Visit, trouble: Failure | None = None) -> Shown:
    """With what was typed, where it could not be taken: of the incident that it was about."""
    values: dict[str, object] = {
        "found": await announcements.list_all(visit.context.services, visit.actor),
        "trouble": trouble,
        "about": visit.id if trouble is not None else "",
        "given": visit.given,
        "models": sorted(visit.context.services.catalogue.models),
    }
    return Shown("platform_announcements.html", values, 200 if trouble is None else trouble.status)

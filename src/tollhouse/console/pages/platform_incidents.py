"""/console/platform/incidents: what keeps calls away from providers now, and what went wrong in the last 24 hours."""

from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.services import incidents, offers


@page("GET /console/platform/incidents", may="incidents.list")
async def listing(visit: Visit) -> Answer:
    running = visit.context.running
    providers = visit.context.services.catalogue.providers
    return Shown(
        "platform_incidents.html",
        {
            "circuits": offers.keep_away(visit.circuits),
            "troubles": [] if running is None else running.troubles(providers),
            "lately": await incidents.lately(visit.context.services, visit.actor),
            "started_ms": None if running is None else running.started_ms,
        },
    )

"""/console/platform/incidents: what keeps calls away from providers now, and what went wrong in the last 24 hours."""

from tollhouse.console.offers import circuits
from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.services import incidents


@page("GET /console/platform/incidents", may="incidents.list")
async def listing(visit: Visit) -> Answer:
    running = visit.context.running
    providers = visit.context.services.catalogue.providers
    troubles = [] if running is None else [one for name in providers for one in running.gateway.troubles.of(name)]
    return Shown(
        "platform_incidents.html",
        {
            "circuits": [one for one in circuits(visit) if one.state != "closed" or one.accounts],
            "troubles": troubles,
            "lately": await incidents.lately(visit.context.services, visit.actor),
            "started_ms": None if running is None else running.started_ms,
        },
    )

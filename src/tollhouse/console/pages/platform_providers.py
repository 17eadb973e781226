"""/console/platform/providers: where calls go, how that is, and what depends on it."""

from collections.abc import Sequence

from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.gateway.provider_trial import ProviderTrial, trials
from tollhouse.services import offers, provider_calls


@page("GET /console/platform/providers", may="providers.list")
async def listing(visit: Visit) -> Answer:
    services, running = visit.context.services, visit.context.running
    lately = await provider_calls.lately(services, visit.actor)
    found = offers.providers(services, visit.circuits, lately)
    return Shown(
        "platform_providers.html",
        {
            "providers": [(one, 0 if running is None else len(running.troubles([one.provider.id]))) for one in found],
            "lately": lately,
            "runs": running is not None,
        },
    )


@page("GET /console/platform/providers/{id}", may="providers.show")
async def one(visit: Visit) -> Answer:
    return await _shown(visit)


@page("POST /console/platform/providers/{id}/check", may="providers.check")
async def check(visit: Visit) -> Answer:
    """Asks it for its models, with each of its keys."""
    provider, running = offers.known(visit.context.services, visit.id), visit.context.running
    destination = None if running is None else running.gateway.destinations.get(provider.id)
    tried = () if destination is None else await trials(destination, visit.now_ms)
    return await _shown(visit, tried)


async def _shown(visit: Visit, tried: Sequence[ProviderTrial] | None = None) -> Shown:
    services, running = visit.context.services, visit.context.running
    provider = offers.known(services, visit.id)
    lately = await provider_calls.lately(services, visit.actor)
    row = offers.provider(services, visit.circuits, lately, provider)
    destination = None if running is None else running.gateway.destinations.get(provider.id)
    return Shown(
        "platform_provider.html",
        {
            "provider": provider,
            "row": row,
            "offers": row.offers,
            "alone": row.alone,
            "lately": lately,
            "troubles": [] if running is None else running.troubles([provider.id]),
            "operations": sorted(destination.operations) if destination is not None else (),
            "speaks": destination.speaks if destination is not None else provider.speaks,
            "tried": tried,
            "runs": running is not None,
        },
    )

"""/console/platform/providers: where calls go, how that is, and what depends on it."""

from collections.abc import Sequence
from urllib.parse import quote

from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.gateway.provider_trial import ProviderTrial, trials
from tollhouse.services import drains, offers, provider_calls


@page("GET /console/platform/providers", may="providers.list")
async def listing(visit: Visit) -> Answer:
    services, running = visit.context.services, visit.context.running
    lately = await provider_calls.lately(services, visit.actor)
    found = offers.providers(services, visit.circuits, lately)
    return Shown(
        "platform_providers.html",
        {
            "drains": services.drains,
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
    destination = None if running is None else running.gateway.configured.get(provider.id)
    tried = (
        ()
        if destination is None
        else await trials(destination, visit.now_ms, offers.asked_of(visit.context.services, provider.id))
    )
    return await _shown(visit, tried)


@page("POST /console/platform/providers/{id}/drain", may="providers.drain")
async def drain(visit: Visit) -> Answer:
    await drains.begin(visit.context.services, visit.actor, visit.id, visit.given("reason"))
    return Elsewhere(_address(visit.id))


@page("POST /console/platform/providers/{id}/resume", may="providers.resume")
async def resume(visit: Visit) -> Answer:
    await drains.end(visit.context.services, visit.actor, visit.id)
    return Elsewhere(_address(visit.id))


def _address(provider_id: str) -> str:
    return f"/console/platform/providers/{quote(provider_id, safe='')}"


async def _shown(visit: Visit, tried: Sequence[ProviderTrial] | None = None) -> Shown:
    services, running = visit.context.services, visit.context.running
    provider = offers.known(services, visit.id)
    lately = await provider_calls.lately(services, visit.actor)
    row = offers.provider(services, visit.circuits, lately, provider)
    destination = None if running is None else running.gateway.configured.get(provider.id)
    return Shown(
        "platform_provider.html",
        {
            "provider": provider,
            "row": row,
            "drain": services.drains.get(provider.id),
            "offers": row.offers,
            "alone": row.alone,
            "lately": lately,
            "troubles": [] if running is None else running.troubles([provider.id]),
            "operations": sorted(destination.operations) if destination is not None else (),
            "title": "" if destination is None else destination.kind.title,
            "speaks": destination.speaks if destination is not None else provider.speaks,
            "tried": tried,
            "runs": running is not None,
        },
    )

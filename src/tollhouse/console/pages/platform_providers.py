"""/console/platform/providers: where calls go, how that is, and what depends on it."""

from collections.abc import Sequence

from msgspec import Struct

from tollhouse.console.offers import OfferRow, OfferState, rows, worst
from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.catalogue import Provider
from tollhouse.core.failure import PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.gateway.provider_trial import ProviderTrial, trials
from tollhouse.routing.troubles import ProviderTrouble
from tollhouse.services import provider_calls, reach


class ProviderRow(Struct, frozen=True, kw_only=True):
    provider: Provider
    offers: Sequence[OfferRow]
    state: OfferState
    attempts: int
    failed: int
    troubles: int


@page("GET /console/platform/providers", may="providers.list")
async def listing(visit: Visit) -> Answer:
    lately = await provider_calls.lately(visit.context.services, visit.actor)
    found = [_row(visit, one, rows(visit, lately, provider=one.id)) for one in _known(visit).values()]
    return Shown("platform_providers.html", {"providers": found, "lately": lately, "runs": _runs(visit)})


@page("GET /console/platform/providers/{id}", may="providers.list")
async def one(visit: Visit) -> Answer:
    return await _shown(visit)


@page("POST /console/platform/providers/{id}/check", may="providers.check")
async def check(visit: Visit) -> Answer:
    """Asks it for its models, with each of its keys."""
    provider, running = _provider(visit), visit.context.running
    destination = None if running is None else running.gateway.destinations.get(provider.id)
    tried = () if destination is None else await trials(destination, visit.now_ms)
    return await _shown(visit, tried)


async def _shown(visit: Visit, tried: Sequence[ProviderTrial] | None = None) -> Shown:
    provider = _provider(visit)
    lately = await provider_calls.lately(visit.context.services, visit.actor)
    offers = rows(visit, lately, provider=provider.id)
    running = visit.context.running
    destination = None if running is None else running.gateway.destinations.get(provider.id)
    alone = [row.model for row in offers if {one.provider for one in row.model.offers} == {provider.id}]
    return Shown(
        "platform_provider.html",
        {
            "provider": provider,
            "row": _row(visit, provider, offers),
            "offers": offers,
            "alone": alone,
            "lately": lately,
            "troubles": _troubles(visit, provider.id),
            "operations": sorted(destination.operations) if destination is not None else (),
            "speaks": destination.speaks if destination is not None else provider.speaks,
            "tried": tried,
            "runs": _runs(visit),
        },
    )


def _row(visit: Visit, provider: Provider, offers: Sequence[OfferRow]) -> ProviderRow:
    calls = {(row.offer.provider, row.offer.model): row.calls for row in offers if row.calls is not None}
    return ProviderRow(
        provider=provider,
        offers=offers,
        state=worst(row.state for row in offers),
        attempts=sum(one.attempts for one in calls.values()),
        failed=sum(one.failed for one in calls.values()),
        troubles=len(_troubles(visit, provider.id)),
    )


def _known(visit: Visit) -> dict[str, Provider]:
    return visit.context.services.catalogue.providers


def _provider(visit: Visit) -> Provider:
    """Raises PathNotFound."""
    found = _known(visit).get(visit.id)
    if found is None:
        raise PathNotFound(Phrase("no provider %(provider)s", provider=reach.shown(visit.id)))
    return found


def _troubles(visit: Visit, provider_id: str) -> list[ProviderTrouble]:
    running = visit.context.running
    return [] if running is None else running.gateway.troubles.of(provider_id)


def _runs(visit: Visit) -> bool:
    return visit.context.running is not None

"""Offers and providers as people of the platform see them: who serves which model, what keeps calls away, how the last
calls went, what depends on whom."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from tollhouse.core.catalogue import Model, Offer, Provider
from tollhouse.core.failure import PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.routing.health import CircuitStatus
from tollhouse.services import reach
from tollhouse.services.context import ServiceContext
from tollhouse.services.provider_calls import CallsLately, OfferCalls

OfferState = Literal["ok", "open", "half open", "troubled"]
_WORST: Final[tuple[OfferState, ...]] = ("open", "half open", "troubled", "ok")


class OfferRow(Struct, frozen=True, kw_only=True):
    """An offer of a model. `circuits`: those that remember something, of the offer as such and of each key."""

    model: Model
    offer: Offer
    circuits: tuple[CircuitStatus, ...]
    calls: OfferCalls | None

    @property
    def state(self) -> OfferState:
        return worst(_state(one) for one in self.circuits)


def asked_of(services: ServiceContext, provider_id: str) -> frozenset[str]:
    """The models of a provider that are offered, by its own names."""
    models = services.catalogue.models.values()
    return frozenset(offer.model for model in models for offer in model.offers if offer.provider == provider_id)


class ProviderRow(Struct, frozen=True, kw_only=True):
    provider: Provider
    offers: tuple[OfferRow, ...]

    @property
    def state(self) -> OfferState:
        return worst(row.state for row in self.offers)

    @property
    def attempts(self) -> int:
        return sum(one.attempts for one in self._calls())

    @property
    def failed(self) -> int:
        return sum(one.failed for one in self._calls())

    @property
    def alone(self) -> tuple[Model, ...]:
        """Models that nobody else serves, each once."""
        found = {row.model.id: row.model for row in self.offers}
        return tuple(one for one in found.values() if {offer.provider for offer in one.offers} == {self.provider.id})

    def _calls(self) -> Iterable[OfferCalls]:
        """Of each place once: several models may lead there."""
        return {row.offer.model: row.calls for row in self.offers if row.calls is not None}.values()


def providers(services: ServiceContext, circuits: Sequence[CircuitStatus], lately: CallsLately) -> list[ProviderRow]:
    """All that are configured. circuits: those of the server that runs."""
    return [provider(services, circuits, lately, one) for one in services.catalogue.providers.values()]


def provider(
    services: ServiceContext, circuits: Sequence[CircuitStatus], lately: CallsLately, found: Provider
) -> ProviderRow:
    return ProviderRow(provider=found, offers=tuple(rows(services, circuits, lately, provider=found.id)))


def known(services: ServiceContext, provider_id: str) -> Provider:
    """Raises PathNotFound."""
    found = services.catalogue.providers.get(provider_id)
    if found is None:
        raise PathNotFound(Phrase("no provider %(provider)s", provider=reach.shown(provider_id)))
    return found


def rows(
    services: ServiceContext, circuits: Sequence[CircuitStatus], lately: CallsLately, *, provider: str | None = None
) -> list[OfferRow]:
    """Of one provider, or all."""
    return [
        OfferRow(
            model=model,
            offer=offer,
            circuits=tuple(seen for seen in circuits if (seen.provider, seen.model) == (offer.provider, offer.model)),
            calls=lately.offers.get((offer.provider, offer.model)),
        )
        for model in services.catalogue.models.values()
        for offer in model.offers
        if provider in (None, offer.provider)
    ]


def worst(states: Iterable[OfferState]) -> OfferState:
    return min(states, key=_WORST.index, default="ok")


def keep_away(circuits: Iterable[CircuitStatus]) -> list[CircuitStatus]:
    """Those that keep calls of somebody away."""
    return [one for one in circuits if one.state != "closed" or one.accounts]


def _state(one: CircuitStatus) -> OfferState:
    if one.state == "open":
        return "open"
    if one.state == "half_open":
        return "half open"
    return "troubled" if one.failures or one.accounts else "ok"

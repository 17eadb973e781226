"""Offers as the pages of the platform show them: who serves which model, what keeps calls away, how the last calls
went."""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from tollhouse.console.visit import Visit
from tollhouse.core.catalogue import Model, Offer
from tollhouse.routing.health import CircuitStatus
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


def rows(visit: Visit, lately: CallsLately, *, provider: str | None = None, model: str | None = None) -> list[OfferRow]:
    """Of one provider, of one model, or all."""
    found = circuits(visit)
    return [
        OfferRow(
            model=one,
            offer=offer,
            circuits=tuple(seen for seen in found if (seen.provider, seen.model) == (offer.provider, offer.model)),
            calls=lately.offers.get((offer.provider, offer.model)),
        )
        for one in visit.context.services.catalogue.models.values()
        if model in (None, one.id)
        for offer in one.offers
        if provider in (None, offer.provider)
    ]


def circuits(visit: Visit) -> list[CircuitStatus]:
    running = visit.context.running
    return [] if running is None else running.gateway.health.snapshot(visit.now_ms)


def worst(states: Iterable[OfferState]) -> OfferState:
    return min(states, key=_WORST.index, default="ok")


def _state(one: CircuitStatus) -> OfferState:
    if one.state == "open":
        return "open"
    if one.state == "half_open":
        return "half open"
    return "troubled" if one.failures or one.accounts else "ok"

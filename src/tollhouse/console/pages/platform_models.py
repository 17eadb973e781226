"""/console/platform/models: what is sold, at which price and cost, by whom; what is sold below cost comes first."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from tollhouse.billing.margin import Costs, Loss, costs_of
from tollhouse.billing.prices import Price
from tollhouse.console.route import Answer, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.catalogue import Model
from tollhouse.core.failure import PathNotFound
from tollhouse.core.phrase import Phrase
from tollhouse.services import margin, provider_calls, reach
from tollhouse.services.offers import OfferRow, OfferState, rows, worst

RATES = ("input", "output")


class ModelRow(Struct, frozen=True, kw_only=True):
    """Rates in nano-USD by what they are for: a million tokens (`input`, `output`), or one unit. `price` by the default
    list; None: it has none. `cost`: the dearest of its offers; None: of some offer it is not known."""

    model: Model
    price: Mapping[str, int] | None
    cost: Mapping[str, int] | None
    losses: Sequence[str]
    offers: Sequence[OfferRow]
    state: OfferState

    @property
    def trouble(self) -> str:
        """What should not stay so: `below cost`, `no price`, `no offer`; or nothing."""
        if self.losses:
            return "below cost"
        if not self.model.free and self.price is None:
            return "no price"
        return "" if self.offers else "no offer"


@page("GET /console/platform/models", may="models.list")
async def listing(visit: Visit) -> Answer:
    services, wanted = visit.context.services, visit.asked("model")
    if wanted and wanted not in services.catalogue.models:
        raise PathNotFound(Phrase("no model %(model)s", model=reach.shown(wanted)))
    losses = await asyncio.to_thread(margin.now, services)
    lately = await provider_calls.lately(services, visit.actor)
    found = _rows(visit, losses, rows(services, visit.circuits, lately))
    return Shown(
        "platform_models.html",
        {
            "models": sorted(found, key=lambda row: (not row.losses, not row.trouble, row.model.id)),
            "shown": next((row for row in found if row.model.id == wanted), None),
            "rates": RATES,
            "lately": lately,
        },
    )


def _rows(visit: Visit, losses: Sequence[Loss], offers: Sequence[OfferRow]) -> list[ModelRow]:
    services = visit.context.services
    below: dict[str, list[str]] = defaultdict(list)
    for loss in losses:
        below[loss.model].append(margin.as_text(loss))
    by_model: dict[str, list[OfferRow]] = defaultdict(list)
    for row in offers:
        by_model[row.model.id].append(row)
    costs, sees_costs = costs_of(services.catalogue), visit.may("margins.list")
    return [
        ModelRow(
            model=model,
            price=_rates(None if model.free else services.prices.find(model.id, visit.now_ms)),
            cost=_dearest(costs, model) if sees_costs else None,
            losses=below[model.id] if sees_costs else (),
            offers=by_model[model.id],
            state=worst(row.state for row in by_model[model.id]),
        )
        for model in services.catalogue.models.values()
    ]


def _rates(price: Price | None) -> dict[str, int] | None:
    """Of the lowest tier."""
    if price is None or not price.tiers:
        return None
    first = price.tiers[0]
    tokens = {name: first.per_million[name] for name in RATES if name in first.per_million}
    return tokens | dict(first.per_unit)


def _dearest(costs: Costs, model: Model) -> dict[str, int] | None:
    dearest: dict[str, int] = {}
    for offer in model.offers:
        rates = _rates(costs.get((offer.provider, offer.model)))
        if rates is None:
            return None
        for name, rate in rates.items():
            dearest[name] = max(rate, dearest.get(name, 0))
    return dearest or None

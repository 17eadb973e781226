"""Where the platform sells below cost, told to its operator."""

import asyncio
from typing import Final

from tollhouse.billing.margin import Loss, costs_of, losses, terms_in_use
from tollhouse.billing.prices import MILLION, write_multiplier
from tollhouse.services.context import ServiceContext

_LOOKS_SECONDS: Final = 1
_AGE_MS_MAX: Final = 60_000


class MarginMonitor:
    """Knows for `/metrics` what is sold below cost, as of a moment ago."""

    def __init__(self, services: ServiceContext) -> None:
        self._services = services
        self._seen: tuple[object, ...] = ()
        self._looked_ms = 0
        self.models: dict[str, bool] = {}
        """Every model of which a cost is known: whether it is sold below it anywhere."""

    async def watch(self) -> None:
        """Never returns: looks when prices or the configuration have changed, and once a minute for the accounts."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOKS_SECONDS)

    async def look(self) -> None:
        services, now_ms = self._services, self._services.clock.now_ms()
        seen = services.catalogue, services.prices
        known = len(seen) == len(self._seen) and all(one is other for one, other in zip(seen, self._seen, strict=True))
        if known and 0 <= now_ms - self._looked_ms < _AGE_MS_MAX:
            return
        self._seen, self._looked_ms = seen, now_ms
        costs = costs_of(services.catalogue)
        below = {loss.model for loss in await asyncio.to_thread(now, services)}
        self.models = {
            model.id: model.id in below
            for model in seen[0].models.values()
            if any((offer.provider, offer.model) in costs for offer in model.offers)
        }


def now(services: ServiceContext) -> list[Loss]:
    """Of every offer, at every list and multiplier that somebody pays by. Some milliseconds for many models and
    accounts: call it in a thread."""
    terms = terms_in_use(services.prices, list(services.directory.accounts.values()))
    return list(losses(services.catalogue, services.prices, terms, services.clock.now_ms()))


def as_text(loss: Loss) -> str:
    """Without the model, for who sees it beside."""
    at = "" if loss.multiplier_ppm == MILLION else f" at {write_multiplier(loss.multiplier_ppm)} times"
    return f"{', '.join(loss.buckets)} of {loss.provider}/{loss.upstream} by list {loss.price_list}{at}"

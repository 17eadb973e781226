"""Prices for the services: what a platform.toml says of models with one offer, and a file that somebody brought."""

from typing import Any

from tests.services.harness import OPERATOR
from tollhouse.core.catalogue import Catalogue, Model, Offer, Provider
from tollhouse.core.price import PriceDraft
from tollhouse.services import price_lists
from tollhouse.services.context import ServiceContext


def file_of(**models: Any) -> Catalogue:
    """What a platform.toml says, with the prices given."""
    offers = (Offer(provider="up", model="m-up"),)
    return Catalogue(
        providers={"up": Provider(id="up", kind="simulator", cost={"m-up": {"input": "1", "output": "4"}})},
        models={name: Model(id=name, offers=offers, **given) for name, given in models.items()},
    )


async def brought(services: ServiceContext, data: bytes, price_list: str = "default") -> PriceDraft:
    return (await price_lists.bring(services, OPERATOR, data, price_list)).draft

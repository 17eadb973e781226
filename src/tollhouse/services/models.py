"""The models that an account may call, at what it pays; and one that a first call may ask for."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from msgspec import Struct

from tollhouse.access.models import groups_of, may_call
from tollhouse.billing.price_list import terms_of
from tollhouse.billing.prices import Price
from tollhouse.core.account import Account
from tollhouse.core.catalogue import Model
from tollhouse.core.operation import Operation
from tollhouse.routing.resolve import callable_models
from tollhouse.services import public_models
from tollhouse.services.context import ServiceContext

_TEXT: Final = frozenset(("chat", "responses"))


class OfferedModel(Struct, frozen=True, kw_only=True):
    """`price`: at what the account pays; None: it is free, or has no price and is not sold."""

    model: Model
    price: Price | None


def offered(services: ServiceContext, account: Account, patterns: tuple[str, ...] = ()) -> list[OfferedModel]:
    """Every model that calls of an account find, in the catalogue's order. patterns: what a key is narrowed to."""
    groups, terms, now_ms = groups_of(services.catalogue, account), terms_of(account), services.clock.now_ms()
    found = callable_models(services.catalogue, lambda model: may_call(patterns, groups, model), now_ms)
    return [
        OfferedModel(model=one, price=None if one.free else services.prices.find(one.id, now_ms, terms))
        for one in found
    ]


def for_first_call(
    services: ServiceContext, account: Account, patterns: tuple[str, ...] = (), operation: Operation = "chat"
) -> Model | None:
    """The cheapest model that is sold, is known to serve an operation and does not retire; else the cheapest that may.
    None: no model can be called."""
    sold = [one for one in offered(services, account, patterns) if one.model.free or one.price is not None]
    ranked = [(rank, one) for one in sold if (rank := _rank(one.model, operation)) is not None]
    best = min(ranked, key=lambda found: (found[0], _cost(found[1]), found[1].model.id), default=None)
    return None if best is None else best[1].model


def _rank(model: Model, operation: Operation) -> tuple[bool, bool] | None:
    """Lower is better; None: it does not serve the operation."""
    if model.operations:
        return (False, model.retires_at is not None) if operation in model.operations else None
    kind = _kinds().get(model.id) or _kinds().get(model.id.rpartition("/")[2])
    if kind is not None and (kind == "chat") != (operation in _TEXT):
        return None
    return kind is None, model.retires_at is not None


def _cost(one: OfferedModel) -> int:
    """Nano-USD of a million tokens in and out; a model that is priced by the unit, or free, comes behind."""
    rates = None if one.price is None else one.price.tiers[0].per_million
    return 2**62 if not rates else rates["input"] + rates["output"]


@cache
def _kinds() -> Mapping[str, str]:
    """What well-known models are, by id and alias."""
    rows = public_models.read().values()
    return {name: row.kind for row in rows for name in (row.id, *row.aliases)}

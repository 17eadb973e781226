"""/api/v1/models"""

import asyncio
from collections import defaultdict
from typing import Any

from msgspec import Struct

from tollhouse.access.models import groups_of, in_groups
from tollhouse.billing.price_list import Terms, terms_of
from tollhouse.billing.quote import quote
from tollhouse.core.catalogue import Model
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, fill
from tollhouse.edge.admin.route import ACCOUNT, AdminRequest, NoParameters, route
from tollhouse.services import margin


class OfferObject(Struct, frozen=True, kw_only=True):
    provider: str
    model: str
    priority: int
    weight: int


class ModelObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="model"):
    id: str
    offers: tuple[OfferObject, ...]
    context_tokens: int | None
    max_output_tokens: int | None
    price: dict[str, Any]  # what the asking account pays; for the operator, what the default list says
    below_cost: tuple[str, ...]  # for those who see costs: where it is sold for less than a provider takes
    free: bool
    groups: tuple[str, ...]
    aliases: tuple[str, ...]
    retires_at: str | None
    successor: str | None
    managed_by: str


@route("models.list", "GET /api/v1/models", ACCOUNT, "Models and prices")
async def list_all(context: AdminContext, request: AdminRequest[NoParameters]) -> PageObject[ModelObject]:
    """Who serves a model, and at which cost, is the platform's business: an account sees no offers, its own prices, and
    only models of the groups that are open to it."""
    services, account_id = context.services, request.actor.account_id
    account = None if account_id is None else services.directory.accounts[account_id]
    terms = Terms() if account is None else terms_of(account)
    below: dict[str, list[str]] = defaultdict(list)
    if account is None and request.may("margins.list"):
        for loss in await asyncio.to_thread(margin.now, services):
            below[loss.model].append(margin.as_text(loss))

    def shown(model: Model) -> ModelObject:
        price = None if model.free else services.prices.find(model.id, request.now_ms, terms)
        return fill(
            ModelObject,
            model,
            offers=() if account is not None else tuple(fill(OfferObject, offer) for offer in model.offers),
            price={} if price is None else quote(price),
            below_cost=tuple(below[model.id]),
        )

    models = services.catalogue.models.values()
    if account is not None:
        groups = groups_of(services.catalogue, account)
        return PageObject(data=tuple(shown(model) for model in models if in_groups(groups, model)))
    return PageObject(data=tuple(map(shown, models)))

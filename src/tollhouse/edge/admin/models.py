"""/api/v1/models"""

import asyncio
from collections import defaultdict

from msgspec import structs

from tollhouse.billing.price_list import Terms, terms_of
from tollhouse.billing.quote import quote
from tollhouse.core.catalogue import Model
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.objects import ModelObject, Page, model_object
from tollhouse.edge.admin.route import ACCOUNT, Asked, Nothing, Route
from tollhouse.office import margin


async def every(desk: Desk, asked: Asked[Nothing]) -> Page[ModelObject]:
    """Who serves a model, and at which cost, is the platform's business: an account sees no offers, and its own
    prices."""
    office, account_id = desk.office, asked.actor.account_id
    account = None if account_id is None else office.directory.accounts[account_id]
    terms = Terms() if account is None else terms_of(account)
    below: dict[str, list[str]] = defaultdict(list)
    if account is None:
        for loss in await asyncio.to_thread(margin.now, office):
            below[loss.model].append(margin.told(loss))

    def shown(model: Model) -> ModelObject:
        price = None if model.free else office.prices.find(model.id, asked.now_ms, terms)
        visible = model if account is None else structs.replace(model, offers=())
        return model_object(visible, {} if price is None else quote(price), tuple(below[model.id]))

    return Page(data=tuple(shown(model) for model in office.catalogue.models.values()))


ROUTES = (Route("models.list", "GET", "/api/v1/models", every, ACCOUNT, "Models and prices", Page[ModelObject]),)

"""/api/v1/models"""

from msgspec import structs

from tollhouse.core.catalogue import Model
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.objects import ModelObject, Page, model_object
from tollhouse.edge.admin.route import ACCOUNT, Asked, Nothing, Route


async def every(desk: Desk, asked: Asked[Nothing]) -> Page[ModelObject]:
    """Who serves a model is the platform's business: an account sees no offers."""
    bounded = asked.actor.account_id is not None

    def shown(model: Model) -> ModelObject:
        return model_object(structs.replace(model, offers=()) if bounded else model)

    return Page(data=tuple(shown(model) for model in desk.office.catalogue.models.values()))


ROUTES = (Route("models.list", "GET", "/api/v1/models", every, ACCOUNT, "Models and prices", Page[ModelObject]),)

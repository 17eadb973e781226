"""The table of routes: routing, authorisation, the OpenAPI document and the CLI's calls are all drawn from it."""

from typing import Any, Final

from msgspec import Struct

from tollhouse.edge.admin import (
    accounts,
    alerts,
    audit,
    budgets,
    codes,
    explain,
    keys,
    ledger,
    limits,
    models,
    platform,
    prices,
    projects,
    providers,
    requests,
    usage,
)
from tollhouse.edge.admin import credits as credit
from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.openapi import document
from tollhouse.edge.admin.route import PUBLIC, Asked, Nothing, Route


class Document(Struct, frozen=True):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]
    security: list[dict[str, Any]]


async def openapi(desk: Desk, asked: Asked[Nothing]) -> Document:
    return Document(**document(TABLE, desk.version))


TABLE: Final[tuple[Route, ...]] = (
    *accounts.ROUTES,
    *projects.ROUTES,
    *keys.ROUTES,
    *credit.ROUTES,
    *codes.ROUTES,
    *budgets.ROUTES,
    *alerts.ROUTES,
    *limits.ROUTES,
    *ledger.ROUTES,
    *providers.ROUTES,
    *models.ROUTES,
    *prices.ROUTES,
    *usage.ROUTES,
    *requests.ROUTES,
    *explain.ROUTES,
    *audit.ROUTES,
    *platform.ROUTES,
    Route("openapi", "GET", "/api/openapi.json", openapi, PUBLIC, "This document", Document),
)


def called(name: str) -> Route:
    """A route by its name, such as `keys.rotate`. Raises KeyError."""
    for route in TABLE:
        if route.name == name:
            return route
    raise KeyError(name)

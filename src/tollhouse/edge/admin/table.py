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
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.openapi import document
from tollhouse.edge.admin.route import PUBLIC, AdminRequest, AdminRoute, NoParameters


class Document(Struct, frozen=True):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]
    security: list[dict[str, Any]]


async def openapi(context: AdminContext, request: AdminRequest[NoParameters]) -> Document:
    return Document(**document(TABLE, context.version))


TABLE: Final[tuple[AdminRoute, ...]] = (
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
    AdminRoute("openapi", "GET", "/api/openapi.json", openapi, PUBLIC, "This document", Document),
)


def called(name: str) -> AdminRoute:
    """A route by its name, such as `keys.rotate`. Raises KeyError."""
    for route in TABLE:
        if route.name == name:
            return route
    raise KeyError(name)

"""The table of routes: routing, authorisation, the OpenAPI document and the CLI's calls are all drawn from it."""

from functools import lru_cache
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
    overview,
    people,
    platform,
    prices,
    projects,
    providers,
    requests,
    sessions,
    status,
    support,
    system,
    tickets,
    usage,
    usage_series,
)
from tollhouse.edge.admin import credits as credit
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.openapi import document
from tollhouse.edge.admin.route import PUBLIC, AdminRequest, AdminRoute, NoParameters, route


class Document(Struct, frozen=True):
    """An OpenAPI 3.1 document."""

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]
    components: dict[str, Any]
    security: list[dict[str, Any]]


@lru_cache(maxsize=1)
def described(version: str) -> Document:
    """Drawn once: it takes 15 ms, and anybody may ask for it."""
    return Document(**document(TABLE, version))


@route("openapi", "GET /api/openapi.json", PUBLIC, "This document")
async def openapi(context: AdminContext, request: AdminRequest[NoParameters]) -> Document:
    return described(context.version)


_FILES: Final = (
    *(accounts, projects, keys, credit, codes, budgets, alerts, limits, ledger, providers, models, prices, usage),
    *(usage_series, overview, requests, explain, audit, people, sessions, platform, system, status, support),
    tickets,
)
TABLE: Final[tuple[AdminRoute, ...]] = (
    *(found for file in _FILES for found in vars(file).values() if isinstance(found, AdminRoute)),
    openapi,
)


def called(name: str) -> AdminRoute:
    """A route by its name, such as `keys.rotate`. Raises KeyError."""
    for found in TABLE:
        if found.name == name:
            return found
    raise KeyError(name)

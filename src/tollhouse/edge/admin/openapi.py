"""The OpenAPI 3.1 document of the control API, drawn from the table of routes."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from tollhouse.edge.admin.route import Nothing, Route

_REF = "#/components/schemas/{name}"


class Problem(Struct, frozen=True):
    """What every error looks like."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(Struct, frozen=True):
    error: Problem


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    kinds = {kind for route in routes for kind in (route.takes, route.gives) if kind is not Nothing}
    ordered: list[type[Struct]] = [*sorted(kinds, key=lambda kind: kind.__name__), ErrorAnswer]
    refs, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    ref_of = dict(zip(ordered, refs, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, ref_of, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tollhouse control API",
            "version": version,
            "description": "An admin key (`sk-th-admin-...`) acts for its own account; the control socket acts for the "
            "platform and needs no key.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def _operation(route: Route, ref_of: dict[type[Struct], Any], components: dict[str, Any]) -> dict[str, Any]:
    problem = {"description": "error", "content": {"application/json": {"schema": ref_of[ErrorAnswer]}}}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.name.partition(".")[0]],
        "x-tollhouse-who": sorted(route.who),
        "responses": {
            str(route.status): {
                "description": "done",
                "content": {"application/json": {"schema": ref_of.get(route.gives, {"type": "object"})}},
            },
            "default": problem,
        },
    }
    if "public" in route.who:
        operation["security"] = []
    parameters: list[dict[str, Any]] = []
    if "{id}" in route.path:
        parameters.append({"name": "id", "in": "path", "required": True, "schema": {"type": "string"}})
    if (route.method == "GET" or route.takes_file or route.takes_query) and route.takes is not Nothing:
        schema = components[route.takes.__name__]
        parameters += [
            {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": kind}
            for name, kind in schema["properties"].items()
        ]
    elif route.takes is not Nothing:
        operation["requestBody"] = {
            "required": bool(components[route.takes.__name__].get("required")),
            "content": {"application/json": {"schema": ref_of[route.takes]}},
        }
    if route.takes_file:
        schema = {"type": "string", "description": "the file as it stands"}
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {"schema": schema}}}
    if parameters:
        operation["parameters"] = parameters
    return operation

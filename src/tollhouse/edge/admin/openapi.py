"""The OpenAPI 3.1 document of the control API, drawn from the table of routes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args, get_origin

import msgspec
from msgspec import Struct

from tollhouse.core.fields import Fields
from tollhouse.edge.admin.request_body import BODY_BYTES_MAX, TEXT_MAX, VALUES_MAX, prose_max
from tollhouse.edge.admin.route import AdminRoute, NoParameters
from tollhouse.services.fields import LIST_MAX, MAIL_MAX, NAME_MAX, REASON_MAX
from tollhouse.services.pages import CURSOR_MAX, LIMIT_MAX

_LIMITS: Final[Mapping[str, Mapping[str, int]]] = {
    "name": {"minLength": 1, "maxLength": NAME_MAX},
    "reason": {"maxLength": REASON_MAX},
    "note": {"maxLength": NAME_MAX},
    "email": {"maxLength": MAIL_MAX},
    "mail": {"maxLength": MAIL_MAX},
    "after": {"maxLength": CURSOR_MAX},
    "limit": {"minimum": 1, "maximum": LIMIT_MAX},
}
"""Of fields that are given, by their names."""
_RULES: Final = (
    "An admin key (`sk-th-admin-...`) acts for its own account; the control socket acts for the platform and needs no "
    f"key. Bodies are JSON objects of at most {BODY_BYTES_MAX} bytes and {VALUES_MAX} values. What is given is read "
    "strictly: an unknown field or query parameter, one that is given twice, a value of another type (nothing is "
    "converted) and a character that does not print are a 400 whose `param` names the field; null counts as absent. "
    f"Names have at most {NAME_MAX} characters, reasons {REASON_MAX}, any other text {TEXT_MAX}, but for "
    "messages in lines of their own, whose `maxLength` says how many; lists of models and networks have "
    f"{LIST_MAX} entries."
)

_REF = "#/components/schemas/{name}"


class Problem(Struct, frozen=True):
    """What every error looks like."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(Struct, frozen=True):
    error: Problem


def document(routes: Sequence[AdminRoute], version: str) -> dict[str, Any]:
    named = (kind for route in routes for kind in (route.takes, route.gives) if kind is not NoParameters)
    kinds = dict.fromkeys(named)  # in the same order each time
    ordered: list[type[Struct]] = [*sorted(kinds, key=lambda kind: kind.__name__), ErrorAnswer]
    refs, components = msgspec.json.schema_components(ordered, ref_template=_REF)
    ref_of = dict(zip(ordered, refs, strict=True))
    for kind in {route.takes for route in routes} - {route.gives for route in routes} - {NoParameters}:
        _restrict(components[kind.__name__], kind)
    for kind in {route.takes for route in routes if _has_body(route)} - {NoParameters}:
        _let_be_null(components[kind.__name__])
    for kind in {kind for route in routes for kind in (route.gives, *get_args(route.gives))}:
        if get_origin(kind) is None and issubclass(kind, Fields):
            _complete(components[kind.__name__])
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, ref_of, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tollhouse control API",
            "version": version,
            "description": _RULES,
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-tollhouse_session"},
            },
        },
        "security": [{"key": []}, {"session": []}],
    }


def _restrict(schema: dict[str, Any], kind: type[Struct]) -> None:
    """Say of what is given how strictly it is read."""
    schema["additionalProperties"] = False
    in_lines = {field.encode_name: prose_max(field.type) for field in msgspec.structs.fields(kind)}
    for name, field in schema["properties"].items():
        for part in field.get("anyOf", [field]):
            if part.get("type") in ("string", "integer"):
                part.update(_LIMITS.get(name, {}))
            for text in (part, part.get("items"), part.get("additionalProperties")):
                if isinstance(text, dict) and text.get("type") == "string" and "enum" not in text:
                    text.setdefault("maxLength", in_lines[name] or TEXT_MAX)


def _has_body(route: AdminRoute) -> bool:
    """What it takes comes as a JSON object."""
    return not (route.method == "GET" or route.takes_file or route.takes_query)


def _let_be_null(schema: dict[str, Any]) -> None:
    """In a body null counts as absent."""
    for name, field in schema["properties"].items():
        if name not in schema.get("required", ()) and {"type": "null"} not in field.get("anyOf", ()):
            default = {"default": field.pop("default")} if "default" in field else {}
            schema["properties"][name] = {"anyOf": [*field.get("anyOf", [field]), {"type": "null"}], **default}


def _complete(schema: dict[str, Any]) -> None:
    """An answer holds every field, also those that it shares with a request which may leave them out."""
    schema["required"] = list(schema["properties"])
    for field in schema["properties"].values():
        field.pop("default", None)


def _forms(route: AdminRoute, schema: Any) -> dict[str, Any]:
    """An answer in each form that it may be asked for in."""
    text = {"schema": {"type": "string"}}
    forms: dict[str, Any] = {"application/json": {"schema": schema}}
    if route.as_csv is not None:
        forms["text/csv"] = text
    if route.as_page is not None:
        forms["text/html"] = text
    return forms


def _operation(route: AdminRoute, ref_of: dict[type[Struct], Any], components: dict[str, Any]) -> dict[str, Any]:
    problem = {"description": "error", "content": {"application/json": {"schema": ref_of[ErrorAnswer]}}}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.name.partition(".")[0]],
        "x-tollhouse-who": sorted(route.who),
        "responses": {
            str(route.status): {
                "description": "done",
                "content": _forms(route, ref_of.get(route.gives, {"type": "object"})),
            },
            "default": problem,
        },
    }
    if "public" in route.who:
        operation["security"] = []
    parameters: list[dict[str, Any]] = []
    if "{id}" in route.path:
        parameters.append({"name": "id", "in": "path", "required": True, "schema": {"type": "string"}})
    if route.takes is not NoParameters and not _has_body(route):
        schema = components[route.takes.__name__]
        parameters += [
            {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": kind}
            for name, kind in schema["properties"].items()
        ]
    elif route.takes is not NoParameters:
        operation["requestBody"] = {
            "required": bool(components[route.takes.__name__].get("required")),
            "content": {"application/json": {"schema": ref_of[route.takes]}},
        }
    if route.takes_file:
        schema = {"type": "string", "description": "the file as it stands"}
        operation["requestBody"] = {"required": False, "content": {"application/octet-stream": {"schema": schema}}}
    if parameters:
        operation["parameters"] = parameters
    return operation

"""The control API as people read it, drawn from its OpenAPI document: operations by noun, with what each takes and
gives."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct


class ApiField(Struct, frozen=True):
    """`default`: empty where the field has to be given, or where nothing stands for it."""

    name: str
    kind: str
    required: bool
    default: str


class ApiOperation(Struct, frozen=True, kw_only=True):
    """`who`: `public`, `key`, `account`, `operator`."""

    name: str
    method: str
    path: str
    summary: str
    who: tuple[str, ...]
    takes: tuple[ApiField, ...]
    gives: tuple[ApiField, ...]


def operations(document: Mapping[str, Any]) -> dict[str, list[ApiOperation]]:
    """By noun, in the order of the document."""
    found: dict[str, list[ApiOperation]] = {}
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            read = ApiOperation(
                name=one["operationId"],
                method=method.upper(),
                path=path,
                summary=one["summary"],
                who=tuple(one["x-tollhouse-who"]),
                takes=(*_parameters(one), *_body(one.get("requestBody", {}), schemas)),
                gives=tuple(_answer(one["responses"], schemas)),
            )
            found.setdefault(one["tags"][0], []).append(read)
    return found


def _parameters(operation: Mapping[str, Any]) -> Iterator[ApiField]:
    for one in operation.get("parameters", ()):
        yield _field(one["name"], one["schema"], is_required=one["required"])


def _body(body: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[ApiField]:
    schema = body.get("content", {}).get("application/json", {}).get("schema", {})
    yield from _fields(schema, schemas)


def _answer(responses: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[ApiField]:
    for status, response in responses.items():
        if status != "default":
            yield from _fields(response["content"]["application/json"]["schema"], schemas)


def _fields(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[ApiField]:
    found = schemas.get(schema["$ref"].rpartition("/")[2], {}) if "$ref" in schema else schema
    for name, kind in found.get("properties", {}).items():
        yield _field(name, kind, is_required=name in found.get("required", ()))


def _field(name: str, schema: Mapping[str, Any], *, is_required: bool) -> ApiField:
    default = schema.get("default")
    return ApiField(name, _kind(schema), is_required, str(default) if default else "")


def _kind(schema: Mapping[str, Any]) -> str:
    """Such as `string`, `list of string`, `live | test`; null is not told: it counts as absent."""
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_kind(one) for one in schema["anyOf"] if one.get("type") != "null"))
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2]).removesuffix("Object")
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items') or {})}"
    if "const" in schema:
        return str(schema["const"])
    return str(schema.get("type", "any"))

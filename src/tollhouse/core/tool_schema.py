"""What a tool takes, as a JSON Schema that every provider reads.

Callers' schemas come from generators of many kinds. Providers refuse some of what those write: at the top anything but
an object with its members, and lists that do not say what is in them.
"""

from typing import Any, Final

from tollhouse.core.schema_drafts import current

Schema = dict[str, object]

_DEPTH_MAX: Final = 64
"""Schemas within each other; what lies deeper stays as it is."""
_WAYS: Final = ("anyOf", "oneOf", "allOf")
_NOT_AT_THE_TOP: Final = frozenset((*_WAYS, "not", "enum", "const", "if", "then", "else"))
_NAMED: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTS: Final = (*_WAYS, "prefixItems")
_ONE: Final = ("items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames")


def tool_schema(parameters: Schema | None) -> Schema:
    """Always of an object with members. Where ways are told apart at its top, all members that any of them has may be
    there; what the top refers to stands there itself."""
    top = current(_referred(parameters)) if parameters else {}
    ways = [one for name in _WAYS for one in _objects(top.get(name))]
    found = [one["properties"] for one in (*ways, top) if isinstance(one.get("properties"), dict)]
    made: Schema = {"type": "object", "properties": {name: one[name] for one in found for name in one}}
    for name, value in top.items():
        if name not in made and name not in _NOT_AT_THE_TOP and value is not None:
            made[name] = value
    order = dict.fromkeys((*(name for name in top if name in made), *made))
    return {name: _said(name, made[name], 0) for name in order}


def _referred(parameters: Schema) -> Schema:
    """A schema of which the top is a definition within it, with what stands beside."""
    reference, found = parameters.get("$ref"), parameters
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return parameters
    place: Any = parameters
    for step in reference.removeprefix("#/").split("/"):
        place = place.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(place, dict) else None
    if isinstance(place, dict):
        found = {**place, **{name: value for name, value in parameters.items() if name != "$ref"}}
    return found


def _objects(value: object) -> list[Any]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _said(name: str, value: Any, depth: int) -> Any:
    """A member of a schema, whose own schemas say what is in their lists."""
    if name in _NAMED and isinstance(value, dict):
        return {key: _with_items(one, depth) for key, one in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [_with_items(one, depth) for one in value]
    return _with_items(value, depth) if name in _ONE else value


def _with_items(schema: Any, depth: int) -> Any:
    if not isinstance(schema, dict) or depth >= _DEPTH_MAX:
        return schema
    schema = current(schema)
    written = {name: _said(name, value, depth + 1) for name, value in schema.items()}
    kind = schema.get("type")
    is_list = kind == "array" or (isinstance(kind, list) and "array" in kind)
    if is_list and "items" not in written and "prefixItems" not in written:
        written["items"] = {}
    return written

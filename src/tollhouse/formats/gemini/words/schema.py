"""Schemas of Gemini's own (an OpenAPI subset, types in capitals) read as JSON Schema."""

from typing import Any, Final

from tollhouse.core.provider_json import Object
from tollhouse.formats.gemini.spelling import snake

DEPTH_MAX: Final = 150
"""Schemas within each other; what lies deeper stays as it is."""
_CAMEL: Final = {
    snake(name): name
    for name in (
        *("anyOf", "maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"),
        *("propertyOrdering", "additionalProperties", "prefixItems"),
    )
} | {"ref": "$ref", "defs": "$defs"}
_COUNTS: Final = frozenset(("maxItems", "maxLength", "maxProperties", "minItems", "minLength", "minProperties"))
_OF_SCHEMAS: Final = ("properties", "$defs", "definitions")
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_ONE: Final = ("items", "additionalProperties", "not")


def to_json_schema(schema: Object, depth: int = 0) -> Object:
    """A schema of Gemini's as JSON Schema. One that is JSON Schema already stays what it is."""
    if depth > DEPTH_MAX:
        return schema
    read: Object = {}
    for written, value in schema.items():
        name = _CAMEL.get(written, written)
        if name in ("propertyOrdering", "nullable", "format") and (name != "format" or value == "enum"):
            continue
        if name == "type" and isinstance(value, str):
            if value != "TYPE_UNSPECIFIED":
                read[name] = value.lower()
        elif name == "example":
            read["examples"] = [value]
        elif name in _COUNTS and isinstance(value, str) and value.isascii() and value.isdigit():
            read[name] = int(value)  # as Google writes 64-bit integers
        else:
            read[name] = _inside(name, value, to_json_schema, depth)
    order = schema.get("propertyOrdering", schema.get("property_ordering"))
    properties = read.get("properties")
    if isinstance(order, list) and isinstance(properties, dict):
        first = {name: properties[name] for name in order if isinstance(name, str) and name in properties}
        read["properties"] = first | properties
    return _nullable(read) if schema.get("nullable") is True else read


def _nullable(schema: Object) -> Object:
    kind, listed = schema.get("type"), schema.get("enum")
    if isinstance(listed, list) and None not in listed:
        schema["enum"] = [*listed, None]
    if isinstance(kind, str):
        return {**schema, "type": [kind, "null"]}
    options = schema.get("anyOf")
    if isinstance(options, list):
        return {**schema, "anyOf": [*options, {"type": "null"}]}
    return schema


def _inside(name: str, value: Any, read: Any, depth: int) -> object:
    """A member of a schema, whose own schemas are read alike. `true` as a schema is one that allows anything."""
    if name in _OF_SCHEMAS and isinstance(value, dict):
        return {key: _one(one, read, depth) for key, one in value.items()}
    if name in _LISTS and isinstance(value, list):
        return [_one(one, read, depth) for one in value]
    if name in _ONE and isinstance(value, dict):
        return read(value, depth + 1)
    if name == "items" and isinstance(value, bool):
        return {}
    return value


def _one(value: Any, read: Any, depth: int) -> object:
    if isinstance(value, dict):
        return read(value, depth + 1)
    return {} if value is True else value

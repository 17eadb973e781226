"""JSON Schemas as Anthropic takes them: of the input of a tool, and of an answer."""

from typing import Any, Final

from tollhouse.core.provider_json import Object

_NOT_TAKEN: Final = frozenset(
    (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
        *("maxItems", "uniqueItems", "contains", "minContains", "maxContains", "minProperties", "maxProperties"),
        *("patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems", "dependentRequired"),
        *("dependentSchemas", "if", "then", "else", "not", "$schema", "$id", "examples", "contentEncoding"),
        *("contentMediaType", "deprecated", "readOnly", "writeOnly", "$comment"),
    )
)
"""Keywords that the form of an answer may not have. What of them bounds a value is told in its description."""
_FORMATS: Final = frozenset(
    ("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid")
)
_BOUNDS: Final = frozenset(
    (
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"),
        *("minItems", "maxItems", "uniqueItems", "pattern"),
    )
)
_NAMED: Final = ("properties", "$defs", "definitions")
_LISTS: Final = ("anyOf", "oneOf", "allOf", "prefixItems")
_WAYS: Final = ("anyOf", "oneOf", "allOf")
_DEPTH_MAX: Final = 64


def tool_schema(parameters: Object | None) -> Object:
    """Of what a tool takes: always of an object, whose ways are not told apart at the top, where that is not taken: all
    members that any of them has may be there."""
    if not parameters:
        return {"type": "object", "properties": {}}
    ways = [one for name in _WAYS for one in _objects(parameters.get(name))]
    if not ways and parameters.get("type") == "object":
        return parameters
    made = {name: value for name, value in parameters.items() if name not in _WAYS}
    properties = [one["properties"] for one in (*ways, made) if isinstance(one.get("properties"), dict)]
    return {**made, "type": "object", "properties": {name: one[name] for one in properties for name in one}}


def _objects(value: object) -> list[Any]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def answer_schema(schema: Object) -> Object:
    """The form of an answer: objects have no other members than those named, and bounds stand in descriptions."""
    made: Object = _taken(schema, 0)
    return made


def _taken(schema: Any, depth: int) -> Any:
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        return schema
    made: Object = {}
    bounds: list[str] = []
    for name, value in schema.items():
        is_bound = name in _BOUNDS and not (name == "minItems" and value in (0, 1))
        if is_bound:
            bounds.append(f"{name}: {value}")
        if name in _NOT_TAKEN or is_bound or (name == "format" and str(value) not in _FORMATS):
            continue
        if name in _NAMED and isinstance(value, dict):
            made[name] = {one: _taken(inner, depth + 1) for one, inner in value.items()}
        elif name in _LISTS and isinstance(value, list):
            made["anyOf" if name == "oneOf" else name] = [_taken(one, depth + 1) for one in value]
        elif name == "items":
            made[name] = _taken(value, depth + 1)
        else:
            made[name] = value
    if bounds:
        said = made.get("description")
        told = ", ".join(bounds)
        made["description"] = f"{said} ({told})" if isinstance(said, str) and said else told
    if made.get("type") == "object" or "properties" in made:
        made["additionalProperties"] = False
    return made

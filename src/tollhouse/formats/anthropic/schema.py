"""JSON Schemas as Anthropic takes them of the form of an answer."""

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
_DEPTH_MAX: Final = 64


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

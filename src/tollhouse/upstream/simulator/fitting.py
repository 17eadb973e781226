"""A value that fits a JSON schema: what is required, as simple as it may be. The same schema gives the same value."""

from typing import Final

_DEPTH_MAX: Final = 16
_PLAIN: Final = (("integer", 1), ("number", 1), ("boolean", True), ("null", None))


def fitting(schema: object) -> object:
    """Obeyed are type, const, enum, default, required, items, minItems, minLength, minimum, maximum, the first of
    anyOf, oneOf and allOf, and `$ref` within the schema, down to 16 levels; not patterns and formats."""
    return _value(schema, schema, 0)


def _value(schema: object, root: object, depth: int) -> object:
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        return {} if depth == 0 else None
    if isinstance(reference := schema.get("$ref"), str):
        return _value(_resolve(reference, root), root, depth + 1)
    for name in ("const", "default"):
        if name in schema:
            return schema[name]
    if choices := schema.get("enum"):
        return choices[0] if isinstance(choices, list) else choices
    for name in ("anyOf", "oneOf", "allOf"):
        options = schema.get(name)
        if isinstance(options, list) and options:
            return _value(options[0], root, depth + 1)
    kind = schema.get("type", "object" if depth == 0 or "properties" in schema else "string")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "array":
        return [_value(schema.get("items"), root, depth + 1) for _ in range(_whole(schema.get("minItems"), 0))]
    if kind == "string":
        return "x" * _whole(schema.get("minLength"), 0) or "simulated"
    if kind in ("integer", "number"):
        return schema.get("minimum", schema.get("maximum", 1))
    return dict(_PLAIN).get(kind)


def _object(schema: dict[str, object], root: object, depth: int) -> dict[str, object]:
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict):
        return {}
    names = required if isinstance(required, list) else properties if depth == 0 else ()
    return {name: _value(properties.get(name), root, depth + 1) for name in names}


def _resolve(reference: str, root: object) -> object:
    place = root
    for step in reference.removeprefix("#").strip("/").split("/"):
        place = place.get(step) if isinstance(place, dict) else None
    return place


def _whole(value: object, default: int) -> int:
    return min(value, 64) if type(value) is int else default

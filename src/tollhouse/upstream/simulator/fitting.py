"""A value that fits a JSON schema: what is required, as simple as it may be. The same schema gives the same value."""

import math
from typing import Final, TypeGuard

import msgspec

from tollhouse.core.failure import BadRequest
from tollhouse.upstream.simulator.bounds import SCHEMA_CHARACTERS_MAX, SCHEMA_VALUES_MAX

_DEPTH_MAX: Final = 16
_ENTRIES_DEPTH_MAX: Final = 6
_OF_FIGURES: Final = frozenset(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"))
_REFERENCE_MAX: Final = 200
_PLAIN: Final = (("boolean", True), ("null", None))


def fitting(schema: object) -> object:
    """Obeyed are type, const, enum, default, required, items, minItems, maxItems, minLength, minimum, maximum (also the
    exclusive ones), multipleOf, the first of anyOf, oneOf and allOf, and `$ref` within the schema, down to 16 levels;
    not patterns and formats.

    Raises BadRequest for a schema that no value of SCHEMA_VALUES_MAX values and SCHEMA_CHARACTERS_MAX characters fits:
    each value is counted before it is made, whatever level or reference it comes from.
    """
    return _Fitting(schema).value(schema, 0)


class _Fitting:
    """The value as it grows, and how much it may still grow."""

    def __init__(self, root: object) -> None:
        self._root = root
        self._values = SCHEMA_VALUES_MAX
        self._characters = SCHEMA_CHARACTERS_MAX

    def value(self, schema: object, depth: int) -> object:
        self._spend(1, 0)
        if not isinstance(schema, dict) or depth > _DEPTH_MAX:
            return {} if depth == 0 else None
        if isinstance(reference := schema.get("$ref"), str):
            return self.value(_resolve(reference, self._root), depth + 1)
        for name in ("const", "default"):
            if name in schema:
                return self._given(schema[name])
        if choices := schema.get("enum"):
            return self._given(choices[0] if isinstance(choices, list) else choices)
        for name in ("anyOf", "oneOf", "allOf"):
            options = schema.get(name)
            if isinstance(options, list) and options:
                return self.value(options[0], depth + 1)
        return self._of_type(schema, depth)

    def _of_type(self, schema: dict[str, object], depth: int) -> object:
        kind = schema.get("type", "object" if depth == 0 or "properties" in schema else "string")
        if isinstance(kind, list):
            kind = next((one for one in kind if one != "null"), "null")
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            count = _entries(schema, depth)
            self._spend(0, count)
            return [self.value(schema.get("items"), depth + 1) for _ in range(count)]
        if kind == "string":
            length = _least(schema.get("minLength"))
            self._spend(0, length)
            return "x" * length or "simulated"
        if kind in ("integer", "number"):
            return _figure(schema)
        return dict(_PLAIN).get(kind) if isinstance(kind, str) else None

    def _object(self, schema: dict[str, object], depth: int) -> dict[str, object]:
        properties, required = schema.get("properties"), schema.get("required")
        if not isinstance(properties, dict):
            return {}
        names = required if isinstance(required, list) else properties if depth == 0 else ()
        found: dict[str, object] = {}
        for name in names:
            self._spend(0, len(name) if isinstance(name, str) else 1)
            if isinstance(name, str):
                found[name] = self.value(properties.get(name), depth + 1)
        return found

    def _given(self, value: object) -> object:
        """A value that the schema names: as large as its JSON is."""
        self._spend(0, len(msgspec.json.encode(value)))
        return value

    def _spend(self, values: int, characters: int) -> None:
        self._values -= values
        self._characters -= characters
        if self._values < 0 or self._characters < 0:
            raise BadRequest(
                f"The simulator fits a schema with at most {SCHEMA_VALUES_MAX} values of {SCHEMA_CHARACTERS_MAX}"
                " characters in all; this one asks for more: lower its minItems, minLength or nesting."
            )


def _resolve(reference: str, root: object) -> object:
    place = root
    for step in filter(None, reference[:_REFERENCE_MAX].removeprefix("#").split("/")):
        place = place.get(step) if isinstance(place, dict) else None
    return place


def _entries(schema: dict[str, object], depth: int) -> int:
    """One, unless the schema asks for another number; none deep down, where schemas that hold themselves would grow."""
    least = _least(schema.get("minItems"))
    if least or depth >= _ENTRIES_DEPTH_MAX or not isinstance(schema.get("items"), dict):
        return least
    maximum = schema.get("maxItems")
    return 1 if type(maximum) is not int else _least(min(1, maximum))


def _figure(schema: dict[str, object]) -> int | float:
    """1, or what lies nearest to it."""
    if _OF_FIGURES.isdisjoint(schema):
        return 1
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    bounds = [
        (schema.get("minimum"), max),
        (above + 1 if _is_figure(above) else None, max),
        (schema.get("maximum"), min),
        (below - 1 if _is_figure(below) else None, min),
    ]
    figure: int | float = 1
    for bound, nearer in bounds:
        if _is_figure(bound):
            figure = nearer(figure, bound)
    step = schema.get("multipleOf")
    if _is_figure(step) and step > 0 and math.isfinite(step) and math.isfinite(figure):
        figure = math.ceil(figure / step) * step
    return figure


def _is_figure(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _least(value: object) -> int:
    return max(0, value) if type(value) is int else 0

"""JSON Schema as Gemini reads it (`parametersJsonSchema`, `responseJsonSchema`).

Of JSON Schema some is passed over, and is said otherwise here: `const`, `allOf`, bounds that are not reached, tuples of
older drafts. Some is refused, each by a report of those who met it: a reference with anything beside it, schemas that
are a boolean, an array without `items` (NousResearch/hermes-agent#69924), an empty text in an `enum`
(anomalyco/opencode#46676), an `enum` without a type (decolua/9router#380), a name in `required` that is no property.
"""

from collections.abc import Mapping
from math import floor
from types import MappingProxyType
from typing import Any, Final

from tollhouse.core.provider_json import Object
from tollhouse.formats.gemini.words.schema import DEPTH_MAX
from tollhouse.formats.gemini.words.schema_references import References

_OF_SCHEMAS: Final = frozenset(("properties", "patternProperties", "dependentSchemas"))
_LISTS: Final = frozenset(("anyOf", "oneOf", "prefixItems"))
_ONE: Final = frozenset(("items", "additionalProperties", "not", "contains", "if", "then", "else"))
_VALUES: Final = frozenset(("default", "const", "examples", "example"))
"""Members that are no schemas, and may be null."""
_EXCLUSIVE: Final[Mapping[str, str]] = MappingProxyType({"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"})
_LEFT_OUT: Final = frozenset(("$schema", "$defs", "definitions", "additionalItems", *_EXCLUSIVE))
_TYPES: Final = ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "number"))


def from_json_schema(schema: Object) -> Object:
    return _Written(schema).whole()


class _Written:
    def __init__(self, root: Object) -> None:
        self._references = References(root)

    def whole(self) -> Object:
        written = self.schema(self._references.whole(), 0)
        defined: Object = {}
        for name in self._references.names:  # a definition may refer to one more
            defined[name] = self._one(self._references.named[name], 0)
        kept = _referred(written, defined)
        return {**written, "$defs": kept} if kept else written

    def schema(self, schema: Object, depth: int) -> Object:
        if depth > DEPTH_MAX:
            return schema
        schema = self._merged(schema, depth)
        if "$ref" in schema:
            return schema
        written: Object = {}
        for name, value in schema.items():
            if name not in _LEFT_OUT and (value is not None or name in _VALUES):
                self._add(written, name, value, depth)
        for name, bound in _EXCLUSIVE.items():
            if name in schema:
                _bound(written, bound, schema[name], schema.get("type") == "integer")
        return _completed(written)

    def _merged(self, schema: Object, depth: int, *, is_part: bool = False) -> Object:
        """A schema with all that `allOf` and a reference say of it."""
        if "$ref" in schema:
            schema = self._references.followed(schema, is_part=is_part)
        parts = schema.get("allOf")
        if not isinstance(parts, list) or depth > DEPTH_MAX:
            return schema
        merged: Object = {}
        for part in [{name: value for name, value in schema.items() if name != "allOf"}, *parts]:
            if isinstance(part, dict):
                found = self._merged(part, depth + 1, is_part=True)
                if "$ref" not in found:
                    _merge(merged, found)
                elif len(parts) == 1:
                    return found
        return merged

    def _add(self, written: Object, name: str, value: Any, depth: int) -> None:
        if name == "const":
            written.setdefault("enum", [value])
        elif name in _OF_SCHEMAS and isinstance(value, dict):
            written[name] = {key: self._one(one, depth) for key, one in value.items() if one is not False}
        elif name == "items" and isinstance(value, list):  # a tuple, as older drafts have it
            written["prefixItems"] = [self._one(one, depth) for one in value if one is not False]
        elif name in _LISTS and isinstance(value, list):
            written[name] = [self._one(one, depth) for one in value if one is not False]
        elif name == "items" and value is False:
            written["maxItems"] = len(_list_at(written, "prefixItems"))
        elif name in _ONE and (isinstance(value, dict) or name == "items"):
            written[name] = self._one(value, depth)
        else:
            written[name] = value

    def _one(self, value: Any, depth: int) -> Object:
        """What is no schema allows anything, as `true` does."""
        return self.schema(value, depth + 1) if isinstance(value, dict) else {}


def _list_at(written: Object, name: str) -> list[Any]:
    found = written.get(name)
    return found if isinstance(found, list) else []


def _merge(merged: Object, part: Object) -> None:
    """Add what a part of `allOf` says."""
    for name, value in part.items():
        there = merged.get(name)
        if name == "properties" and isinstance(value, dict):
            own = merged[name] = there if isinstance(there, dict) else {}
            for key, one in value.items():
                own.setdefault(key, one)
        elif name == "required" and isinstance(value, list):
            names = merged[name] = there if isinstance(there, list) else []
            names += value
        else:
            merged.setdefault(name, value)


def _bound(written: Object, name: str, value: object, whole: bool) -> None:
    """A bound that is not reached, as one that is: the next integer, and of other numbers the bound itself. A boolean
    is an older draft's, and says so of the bound beside it."""
    if value is True and whole and type(there := written.get(name)) is int:
        written[name] = there + 1 if name == "minimum" else there - 1
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    if whole and abs(value) < 2**53:
        value = floor(value) + 1 if name == "minimum" else -floor(-value) - 1
    there = written.get(name)
    if type(there) not in (int, float) or (value > there if name == "minimum" else value < there):  # type: ignore[operator]
        written[name] = value


def _completed(written: Object) -> Object:
    """A schema with what Gemini wants to be there, and without what it refuses."""
    listed = written.get("enum")
    if isinstance(listed, list):
        written["enum"] = values = [one for one in listed if one != ""]
        kinds = {next((name for kind, name in _TYPES if isinstance(one, kind)), "") for one in values}
        if len(kinds) == 1 and "" not in kinds:
            written.setdefault("type", kinds.pop())
        if not values:
            del written["enum"]
    kinds_named = written.get("type")
    is_array = kinds_named == "array" or (isinstance(kinds_named, list) and "array" in kinds_named)
    if is_array and "items" not in written and "prefixItems" not in written:
        written["items"] = {}
    if "required" in written:
        properties = written.get("properties")
        there = properties if isinstance(properties, dict) else {}
        names = [one for one in _list_at(written, "required") if isinstance(one, str) and one in there]
        written["required"] = list(dict.fromkeys(names))
        if not names:
            del written["required"]
    return written


def _referred(written: Object, defined: Object) -> Object:
    """The definitions that are referred to, also by each other."""
    kept: set[str] = set()
    left: list[object] = [written]
    while left:
        one = left.pop()
        if isinstance(one, list):
            left += one
        elif isinstance(one, dict):
            reference = one.get("$ref")
            if isinstance(reference, str):
                name = reference.removeprefix("#/$defs/").replace("~1", "/").replace("~0", "~")
                if name in defined and name not in kept:
                    kept.add(name)
                    left.append(defined[name])
            left += one.values()
    return {name: value for name, value in defined.items() if name in kept}

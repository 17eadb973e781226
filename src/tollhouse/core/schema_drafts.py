"""JSON Schemas of older drafts, and of generators that take liberties, as the draft of 2020-12 says the same: Anthropic
refuses a tool whose schema is none of that draft."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

Schema = dict[str, Any]

_BOUNDS: Final = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: name for name in ("array", "boolean", "integer", "null", "number", "object", "string")},
        **dict.fromkeys(("bool",), "boolean"),
        **dict.fromkeys(("dict", "map"), "object"),
        **dict.fromkeys(("double", "float"), "number"),
        **dict.fromkeys(("int", "long"), "integer"),
        **dict.fromkeys(("list", "tuple"), "array"),
        **dict.fromkeys(("str", "text"), "string"),
        **dict.fromkeys(("none",), "null"),
    }
)
"""Types by their names there and elsewhere, in small letters; any other is as good as none."""
_MAY_BE_NULL: Final = frozenset(("default", "const", "example"))


def current(schema: Schema) -> Schema:
    """One schema; those within it stay as they are, but that they do not tell any more whether they are required."""
    made = {name: value for name, value in schema.items() if value is not None or name in _MAY_BE_NULL}
    for open_bound, bound in _BOUNDS:
        if isinstance(made.get(open_bound), bool) and made.pop(open_bound) and bound in made:
            made[open_bound] = made.pop(bound)
    if isinstance(items := made.get("items"), list):
        rest = made.pop("additionalItems", None)
        del made["items"]
        made["prefixItems"] = items
        if rest is not None:
            made["items"] = rest
    if "type" in made:
        made["type"] = _type(made["type"])
        if not made["type"]:
            del made["type"]
    return _required(made)


def _type(said: object) -> object:
    if isinstance(said, list):
        return [known for one in said if isinstance(one, str) and (known := _TYPES.get(one.lower()))]
    return _TYPES.get(said.lower()) if isinstance(said, str) else None


def _required(schema: Schema) -> Schema:
    """Draft 3 had it in each member, and many write it there still."""
    properties, listed = schema.get("properties"), schema.get("required")
    if isinstance(listed, bool):
        del schema["required"]
    if not isinstance(properties, dict):
        return schema
    told = [name for name, one in properties.items() if isinstance(one, dict) and one.get("required") is True]
    if told:
        known = listed if isinstance(listed, list) else []
        schema["required"] = list(dict.fromkeys([*(one for one in known if isinstance(one, str)), *told]))
    return schema

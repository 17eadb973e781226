"""Whether a schema is of the kind that OpenAI keeps to strictly: any other one is refused together with `strict`.

Callers of other formats ask for strictness with schemas of their own vendor's kind, which may leave members out.
See https://platform.openai.com/docs/guides/structured-outputs (supported schemas).
"""

from typing import Any, Final

_DEPTH_MAX: Final = 64
_NOT_TAKEN: Final = frozenset(
    (
        *("allOf", "oneOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else"),
        *("patternProperties", "propertyNames", "unevaluatedProperties", "unevaluatedItems", "contains"),
        *("minContains", "maxContains", "minProperties", "maxProperties", "uniqueItems", "prefixItems"),
    )
)
_SAYS_WHAT: Final = frozenset(("type", "$ref", "anyOf", "enum", "const"))
_FORMATS: Final = frozenset(("date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"))


def can_be_strict(schema: object) -> bool:
    """A schema whose top is an object without ways to be told apart."""
    if not isinstance(schema, dict) or schema.get("type") != "object" or "anyOf" in schema:
        return False
    return _fits(schema, 0)


def _fits(schema: Any, depth: int) -> bool:
    """Objects have no members but those that they must have."""
    if not isinstance(schema, dict) or depth > _DEPTH_MAX:
        return False
    if not _NOT_TAKEN.isdisjoint(schema) or _SAYS_WHAT.isdisjoint(schema):
        return False
    if "format" in schema and schema["format"] not in _FORMATS:
        return False
    members, kind = schema.get("properties"), schema.get("type")
    if members is not None or kind == "object" or (isinstance(kind, list) and "object" in kind):
        must = schema.get("required", [])
        named = members if isinstance(members, dict) else {}
        if schema.get("additionalProperties") is not False or not isinstance(must, list):
            return False
        if sorted(map(str, must)) != sorted(named):
            return False
    within = [one for name in ("properties", "$defs", "definitions") for one in _values(schema.get(name))]
    within += _values(schema.get("anyOf"))
    within += [schema["items"]] if "items" in schema else []
    return all(_fits(one, depth + 1) for one in within)


def _values(value: object) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []

"""Schemas of tools as generators of older drafts write them."""

from typing import Any

import pytest

from tollhouse.core.tool_schema import tool_schema

WRITTEN: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"type": "number", "minimum": 0, "exclusiveMinimum": True}, {"type": "number", "exclusiveMinimum": 0}),
    ({"type": "number", "maximum": 9, "exclusiveMaximum": False}, {"type": "number", "maximum": 9}),
    ({"type": "number", "exclusiveMinimum": 0}, {"type": "number", "exclusiveMinimum": 0}),
    ({"type": "array", "items": [{"type": "int"}]}, {"type": "array", "prefixItems": [{"type": "integer"}]}),
    (
        {"type": "array", "items": [{"type": "string"}], "additionalItems": False},
        {"type": "array", "prefixItems": [{"type": "string"}], "items": False},
    ),
    ({"type": "any", "description": "x"}, {"description": "x"}),
    ({"type": "STRING", "nullable": True}, {"type": "string", "nullable": True}),
    ({"type": ["date"]}, {}),
    ({"type": ["str", "null", "date"]}, {"type": ["string", "null"]}),
    ({"type": "string", "description": None, "default": None}, {"type": "string", "default": None}),
    ({"type": "string", "enum": None}, {"type": "string"}),
    (
        {"type": "object", "properties": {"b": {"type": "dict", "required": True}}},
        {"type": "object", "properties": {"b": {"type": "object"}}, "required": ["b"]},
    ),
    ({"type": "object", "required": False}, {"type": "object"}),
)


@pytest.mark.parametrize(("given", "said"), WRITTEN)
def test_a_schema_is_one_of_the_newest_draft(given: dict[str, Any], said: dict[str, Any]) -> None:
    told = tool_schema({"type": "object", "properties": {"a": given, "l": {"type": "array", "items": given}}})
    assert told["properties"] == {"a": said, "l": {"type": "array", "items": said}}


def test_what_is_required_is_told_by_the_object() -> None:
    members = {"a": {"type": "string", "required": True}, "b": {"type": "string", "required": False}, "c": {}}
    told = tool_schema({"type": "object", "properties": members, "required": ["c"]})
    assert told == {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {}},
        "required": ["c", "a"],
    }
    assert tool_schema({"type": "object", "properties": None, "required": None}) == {"type": "object", "properties": {}}

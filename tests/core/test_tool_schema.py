"""What a tool takes, as providers read it: forms that generators of schemas write, and that one provider or another
refuses."""

from typing import Any

import pytest

from tollhouse.core.tool_schema import tool_schema

STRING = {"type": "string"}
DEEP: dict[str, Any] = {"type": "array"}
for _ in range(200):
    DEEP = {"type": "object", "properties": {"a": DEEP}}


@pytest.mark.parametrize(
    ("parameters", "schema"),
    [
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"type": "object", "properties": None, "required": None}, {"type": "object", "properties": {}}),
        ({"type": ["object", "null"], "properties": {}}, {"type": "object", "properties": {}}),
        ({"properties": {"a": {}}}, {"properties": {"a": {}}, "type": "object"}),
        (
            {"type": "object", "properties": {"a": STRING}, "anyOf": [{"required": ["a"]}]},
            {"type": "object", "properties": {"a": STRING}},
        ),
        (
            {"oneOf": [{"type": "object", "properties": {"a": {}}}, {"properties": {"b": {}}}], "$defs": {}},
            {"$defs": {}, "type": "object", "properties": {"a": {}, "b": {}}},
        ),
        ({"not": {"required": ["a"]}, "enum": [1], "properties": {}}, {"properties": {}, "type": "object"}),
        (
            {"$ref": "#/definitions/X", "definitions": {"X": {"type": "object", "properties": {"a": STRING}}}},
            {
                "type": "object",
                "properties": {"a": STRING},
                "definitions": {"X": {"type": "object", "properties": {"a": STRING}}},
            },
        ),
        ({"$ref": "#/definitions/none"}, {"$ref": "#/definitions/none", "type": "object", "properties": {}}),
        (
            {"type": "object", "properties": {"a": {"type": "array"}, "b": {"type": ["array", "null"]}}},
            {
                "type": "object",
                "properties": {"a": {"type": "array", "items": {}}, "b": {"type": ["array", "null"], "items": {}}},
            },
        ),
        (
            {"type": "object", "properties": {"a": {"anyOf": [{"type": "array", "items": {"type": "array"}}]}}},
            {
                "type": "object",
                "properties": {"a": {"anyOf": [{"type": "array", "items": {"type": "array", "items": {}}}]}},
            },
        ),
        (
            {"type": "object", "properties": {"type": {"const": {"type": "array"}}, "items": {"type": "string"}}},
            {"type": "object", "properties": {"type": {"const": {"type": "array"}}, "items": {"type": "string"}}},
        ),
    ],
    ids=str,
)
def test_what_a_tool_takes_is_an_object_with_members(parameters: dict[str, Any] | None, schema: dict[str, Any]) -> None:
    made = tool_schema(parameters)
    assert made == schema
    assert list(made) == list(schema)


def test_a_schema_of_any_depth_is_read() -> None:
    assert tool_schema(DEEP)["type"] == "object"

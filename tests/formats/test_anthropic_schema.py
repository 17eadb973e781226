"""JSON Schemas as Anthropic takes them: of the input of a tool, and of an answer."""

import pytest

from tests.formats.anthropic_samples import Object
from tollhouse.formats.anthropic.schema import answer_schema, tool_schema


@pytest.mark.parametrize(
    ("parameters", "schema"),
    [
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"type": "object", "required": ["a"]}, {"type": "object", "required": ["a"]}),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "anyOf": [{"required": ["a"]}]},
            {"type": "object", "properties": {"a": {"type": "string"}}},
        ),
        (
            {"oneOf": [{"type": "object", "properties": {"a": {}}}, {"properties": {"b": {}}}], "$defs": {}},
            {"type": "object", "properties": {"a": {}, "b": {}}, "$defs": {}},
        ),
    ],
    ids=str,
)
def test_what_a_tool_takes_is_an_object(parameters: Object | None, schema: Object) -> None:
    assert tool_schema(parameters) == schema


def test_a_schema_becomes_one_that_is_taken() -> None:
    schema: Object = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 1, "multipleOf": 2, "description": "how many"},
            "when": {"type": "string", "format": "date", "pattern": "x"},
            "odd": {"type": "string", "format": "odd"},
            "list": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"oneOf": [{"type": "object"}]}},
            "minimum": {"enum": [1, 2]},
        },
    }
    assert answer_schema(schema) == {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "description": "how many (minimum: 1, multipleOf: 2)"},
            "when": {"type": "string", "format": "date", "description": "pattern: x"},
            "odd": {"type": "string"},
            "list": {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"type": "object", "additionalProperties": False}]},
                "description": "maxItems: 3",
            },
            "minimum": {"enum": [1, 2]},
        },
        "additionalProperties": False,
    }

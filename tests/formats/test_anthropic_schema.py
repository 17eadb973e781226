"""JSON Schemas as Anthropic takes them of an answer."""

from tests.formats.anthropic_samples import Object
from tollhouse.formats.anthropic.schema import answer_schema


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

"""Schemas of Gemini's read as JSON Schema, and JSON Schema as Gemini reads it."""

import json

from tollhouse.formats.gemini.words.schema import DEPTH_MAX, from_json_schema, to_json_schema

Object = dict[str, object]


def test_a_schema_of_geminis_is_read_as_json_schema() -> None:
    own: Object = {
        "type": "OBJECT",
        "propertyOrdering": ["b", "a"],
        "properties": {
            "a": {"type": "STRING", "format": "enum", "enum": ["x", "y"], "nullable": True},
            "b": {"any_of": [{"type": "INTEGER", "format": "int64"}, {"type": "NULL"}], "example": 5},
            "c": {"type": "ARRAY", "items": {"type": "TYPE_UNSPECIFIED"}, "minItems": "2", "max_items": 3},
        },
    }
    read = to_json_schema(own)
    assert list(read["properties"]) == ["b", "a", "c"]  # type: ignore[call-overload]
    assert read == {
        "type": "object",
        "properties": {
            "a": {"type": ["string", "null"], "enum": ["x", "y", None]},
            "b": {"anyOf": [{"type": "integer", "format": "int64"}, {"type": "null"}], "examples": [5]},
            "c": {"type": "array", "items": {}, "minItems": 2, "maxItems": 3},
        },
    }


def test_a_property_may_be_called_like_a_word_of_schemas() -> None:
    named: Object = {"type": "object", "properties": {"type": {"type": "string"}, "$ref": {"const": 1}}}
    assert from_json_schema(named) == {
        "type": "object",
        "properties": {"type": {"type": "string"}, "$ref": {"enum": [1]}},
    }
    assert to_json_schema({"properties": {"nullable": {"type": "STRING"}}}) == {
        "properties": {"nullable": {"type": "string"}}
    }


def test_a_reference_has_nothing_beside_it() -> None:
    small: Object = {"type": "integer"}
    long: Object = {"type": "string", "description": "x" * 5000}
    written = from_json_schema(
        {
            "$schema": "http://json-schema.org/draft-07/schema#",
            "properties": {
                "a": {"$ref": "#/$defs/small", "description": "d"},
                "b": {"$ref": "#/$defs/long", "description": "d"},
                "c": {"$ref": "#/$defs/around", "default": 1},
                "d": {"$ref": "#/$defs/small"},
                "e": {"$ref": "https://a.example/x", "title": "t"},
            },
            "$defs": {"small": small, "long": long, "around": {"items": {"$ref": "#/$defs/around"}}},
        }
    )
    assert written == {
        "properties": {
            "a": {"type": "integer", "description": "d"},
            "b": {"$ref": "#/$defs/long"},
            "c": {"$ref": "#/$defs/around"},
            "d": {"$ref": "#/$defs/small"},
            "e": {"$ref": "https://a.example/x"},
        },
        "$defs": {"small": small, "long": long, "around": {"items": {"$ref": "#/$defs/around"}}},
    }


def test_the_work_for_a_schema_is_bounded() -> None:
    deep: Object = {"type": "STRING"}
    for _ in range(10 * DEPTH_MAX):
        deep = {"type": "ARRAY", "items": deep}
    assert to_json_schema(deep)["type"] == "array"
    assert from_json_schema(deep)["type"] == "ARRAY"
    many: Object = {f"p{number}": {"$ref": "#/$defs/d", "title": "t"} for number in range(2000)}
    written = from_json_schema({"properties": many, "$defs": {"d": {"description": "x" * 4000}}})
    assert len(json.dumps(written)) < 600_000

"""Schemas of Gemini's read as JSON Schema, and JSON Schema as Gemini reads it."""

import json

import pytest

from tollhouse.formats.gemini.words.schema import DEPTH_MAX, to_json_schema
from tollhouse.formats.gemini.words.schema_written import from_json_schema

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
        "properties": {"type": {"type": "string"}, "$ref": {"enum": [1], "type": "integer"}},
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
            "e": {"title": "t"},
        },
        "$defs": {"small": small, "long": long, "around": {"items": {"$ref": "#/$defs/around"}}},
    }


RECURSIVE: Object = {"type": "object", "properties": {"n": {"$ref": "#/$defs/node"}}}
TEXT: Object = {"type": "string"}
LONG: Object = {"type": "string", "description": "x" * 5000}
FORMS: dict[str, tuple[Object, Object]] = {
    "a definition of an older draft": (
        {"items": {"$ref": "#/definitions/node"}, "definitions": {"node": LONG}},
        {"items": {"$ref": "#/$defs/node"}, "$defs": {"node": LONG}},
    ),
    "a property that is referred to (DEEIX-Chat#546)": (
        {"properties": {"a": LONG, "b": {"items": {"$ref": "#/properties/a"}}, "c": {"$ref": "#/properties/a"}}},
        {
            "properties": {"a": LONG, "b": {"items": {"$ref": "#/$defs/a"}}, "c": {"$ref": "#/$defs/a"}},
            "$defs": {"a": LONG},
        },
    ),
    "a small one": (
        {"properties": {"a": TEXT, "b": {"items": {"$ref": "#/properties/a"}}}},
        {"properties": {"a": TEXT, "b": {"items": TEXT}}},
    ),
    "the whole in itself": (
        {"properties": {"n": {"$ref": "#"}}},
        {
            "properties": {"n": {"$ref": "#/$defs/root"}},
            "$defs": {"root": {"properties": {"n": {"$ref": "#/$defs/root"}}}},
        },
    ),
    "a whole that is a reference (zod-to-json-schema)": (
        {"$ref": "#/definitions/me", "definitions": {"me": {"type": "object", "properties": {"a": TEXT}}}},
        {"type": "object", "properties": {"a": TEXT}},
    ),
    "a reference that leads nowhere": ({"properties": {"a": {"$ref": "#/$defs/no"}}}, {"properties": {"a": {}}}),
    "a definition that nothing refers to": ({"type": "object", "$defs": {"a": TEXT}}, {"type": "object"}),
    "a definition within one": (
        {"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": TEXT}},
        {"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": TEXT}},
    ),
    "an array of anything (hermes-agent#69924)": ({"type": "array"}, {"type": "array", "items": {}}),
    "an array or nothing": ({"type": ["array", "null"]}, {"type": ["array", "null"], "items": {}}),
    "a tuple of an older draft": (
        {"type": "array", "items": [TEXT, True], "additionalItems": False},
        {"type": "array", "prefixItems": [TEXT, {}]},
    ),
    "a tuple and no more": (
        {"type": "array", "prefixItems": [TEXT], "items": False},
        {"type": "array", "prefixItems": [TEXT], "maxItems": 1},
    ),
    "an empty text in an enum (opencode#46676)": (
        {"type": "string", "enum": ["", "a"]},
        {"type": "string", "enum": ["a"]},
    ),
    "an enum of nothing (kibana#286302)": ({"type": "string", "enum": [""]}, TEXT),
    "an enum without a type (9router#380)": ({"enum": ["a", "b"]}, {"enum": ["a", "b"], "type": "string"}),
    "an enum of several types": ({"enum": ["a", 1, None]}, {"enum": ["a", 1, None]}),
    "a constant": ({"const": True}, {"enum": [True], "type": "boolean"}),
    "a name that is no property": (
        {"properties": {"a": TEXT}, "required": ["b", "a"]},
        {"properties": {"a": TEXT}, "required": ["a"]},
    ),
    "names where there are no properties": ({"anyOf": [{"required": ["a"]}]}, {"anyOf": [{}]}),
    "what an older draft says of one property": ({"type": "string", "required": True}, TEXT),
    "what is null": ({"type": "string", "description": None, "default": None}, {"type": "string", "default": None}),
    "schemas that are a boolean (adk-python#4531)": (
        {"properties": {"a": True, "b": False}, "anyOf": [True, False], "additionalProperties": False},
        {"properties": {"a": {}}, "anyOf": [{}], "additionalProperties": False},
    ),
    "bounds that are not reached (nakama#292)": (
        {"properties": {"a": {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 9.5}}},
        {"properties": {"a": {"type": "integer", "minimum": 1, "maximum": 9}}},
    ),
    "such bounds of a number": (
        {"type": "number", "exclusiveMinimum": 0, "minimum": -5},
        {"type": "number", "minimum": 0},
    ),
    "such bounds of an older draft": (
        {"type": "integer", "minimum": 1, "exclusiveMinimum": True, "maximum": 9, "exclusiveMaximum": False},
        {"type": "integer", "minimum": 2, "maximum": 9},
    ),
    "all of one (pydantic 1)": (
        {"properties": {"a": {"allOf": [{"$ref": "#/$defs/a"}], "title": "A"}}, "$defs": {"a": TEXT}},
        {"properties": {"a": {"title": "A", "type": "string"}}},
    ),
    "all of several": (
        {
            "allOf": [
                {"$ref": "#/$defs/a"},
                {"properties": {"b": TEXT}, "required": ["b"]},
                {"allOf": [{"title": "t"}]},
            ],
            "$defs": {"a": {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}},
        },
        {"type": "object", "properties": {"a": TEXT, "b": TEXT}, "required": ["a", "b"], "title": "t"},
    ),
    "all of itself": (
        {"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"allOf": [{"$ref": "#"}]}}},
        {"items": {"$ref": "#/$defs/a"}, "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}},
    ),
    "what is recursive": (
        {"properties": {"a": {"$ref": "#/$defs/node", "title": "t"}}, "$defs": {"node": RECURSIVE}},
        {"properties": {"a": {"$ref": "#/$defs/node"}}, "$defs": {"node": RECURSIVE}},
    ),
}
"""Of JSON Schema, as it is given, and as Gemini reads it."""


@pytest.mark.parametrize("form", FORMS)
def test_json_schema_is_written_as_gemini_reads_it(form: str) -> None:
    given, written = FORMS[form]
    before = json.dumps(given)
    assert from_json_schema(given) == written
    assert json.dumps(given) == before


def test_the_work_for_a_schema_is_bounded() -> None:
    deep: Object = {"type": "STRING"}
    for _ in range(10 * DEPTH_MAX):
        deep = {"type": "ARRAY", "items": deep}
    assert to_json_schema(deep)["type"] == "array"
    assert from_json_schema(deep)["type"] == "ARRAY"
    many: Object = {f"p{number}": {"$ref": "#/$defs/d", "title": "t"} for number in range(2000)}
    written = from_json_schema({"properties": many, "$defs": {"d": {"description": "x" * 4000}}})
    assert len(json.dumps(written)) < 600_000
    pointers = {f"p{number}": {"$ref": "#/properties/q" + "/items" * (number % 140)} for number in range(3000)}
    deep = {}
    for _ in range(140):
        deep = {"type": "array", "items": deep, "description": "x" * 4000}
    both: Object = {"allOf": [{"$ref": "#/$defs/b"}, {"$ref": "#/$defs/b"}]}
    written = from_json_schema({"properties": {**pointers, "q": deep}, "allOf": [both] * 100, "$defs": {"b": both}})
    assert len(json.dumps(written)) < 2_000_000

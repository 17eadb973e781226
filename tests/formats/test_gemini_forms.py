"""A form of the answer beside functions, which older models of Gemini's do not take together."""

import json
from typing import Any

import pytest

from tollhouse.core.conversation import Choosing, Conversation, Message, OutputForm, TextPart, Tool, ToolChoice
from tollhouse.formats.gemini.words.write_request import write_request

SCHEMA: dict[str, object] = {"type": "object", "properties": {"a": {"type": "string"}}}


def sent(model: str, form: OutputForm | None, *, tools: bool, choosing: Choosing = "auto") -> tuple[Any, list[str]]:
    asked = Conversation(messages=[Message(role="user", parts=[TextPart(text="Hi")])], output=form)
    asked.tools = [Tool(name="open")] if tools else []
    asked.tool_choice = ToolChoice(choosing=choosing)
    asked.uses = {"json_schema": "response_format"}
    return json.loads(write_request(asked, model=model, stream=False, include_usage=False)), asked.left_out


@pytest.mark.parametrize("model", ["gemini-1.5-pro", "gemini-2.0-flash", "google/gemini-2.5-pro"])
def test_beside_functions_the_form_is_told_in_words(model: str) -> None:
    body, left_out = sent(model, OutputForm(schema=SCHEMA), tools=True)
    assert "generationConfig" not in body
    assert json.dumps(SCHEMA, separators=(",", ":")) in body["systemInstruction"]["parts"][0]["text"]
    assert (len(body["tools"]), left_out) == (1, ["response_format"])


@pytest.mark.parametrize(
    ("model", "tools", "choosing", "functions"),
    [
        ("gemini-2.5-pro", False, "auto", 0),
        ("gemini-2.5-pro", True, "none", 0),
        ("gemini-3-pro", True, "auto", 1),
        ("gemini-20-pro", True, "auto", 1),
        ("house-1", True, "auto", 1),
    ],
)
def test_else_it_is_a_form(model: str, tools: bool, choosing: Choosing, functions: int) -> None:
    body, left_out = sent(model, OutputForm(schema=SCHEMA), tools=tools, choosing=choosing)
    assert body["generationConfig"]["responseJsonSchema"] == SCHEMA
    assert (len(body.get("tools", [])), "systemInstruction" in body, left_out) == (functions, False, [])


def test_any_json_object_is_told_in_words_too() -> None:
    body, left_out = sent("gemini-2.5-flash", OutputForm(), tools=True)
    assert "one JSON object" in body["systemInstruction"]["parts"][0]["text"]
    assert left_out == ["json_object"]

"""What OpenAI's own servers refuse, and callers of other formats send all the same: written so that it is taken."""

import json
from typing import Any

import pytest
from msgspec import json as msgspec_json

from tollhouse.core.conversation import Conversation
from tollhouse.formats.anthropic import request as messages
from tollhouse.formats.anthropic.request_reader import read_request
from tollhouse.formats.openai.words.by_operation import WORDS
from tollhouse.formats.openai.words.strict_schema import can_be_strict

Object = dict[str, Any]

STRING = {"type": "string"}
WHOLE = {"type": "object", "properties": {"a": STRING}, "required": ["a"], "additionalProperties": False}
PART = {**WHOLE, "properties": {"a": STRING, "b": STRING}}


def asked(**members: Any) -> Conversation:
    body = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}], **members}
    return read_request(messages.read(json.dumps(body).encode()))


def sent(operation: Any, **members: Any) -> Any:
    write = WORDS[operation].write_request
    return msgspec_json.decode(write(asked(**members), model="up", stream=False, include_usage=False))


@pytest.mark.parametrize(
    ("schema", "fits"),
    [
        (WHOLE, True),
        (PART, False),
        ({**WHOLE, "additionalProperties": True}, False),
        ({**WHOLE, "required": None}, False),
        ({**WHOLE, "properties": {"a": {"type": ["string", "null"], "description": "d", "enum": ["x", None]}}}, True),
        ({**WHOLE, "properties": {"a": {"type": "string", "format": "uri"}}}, False),
        ({**WHOLE, "properties": {"a": {"type": "string", "format": "date"}}}, True),
        ({**WHOLE, "properties": {"a": {}}}, False),
        ({**WHOLE, "properties": {"a": PART}}, False),
        ({**WHOLE, "properties": {"a": {"type": "array", "items": WHOLE}}}, True),
        ({**WHOLE, "properties": {"a": {"type": "array", "items": PART}}}, False),
        ({**WHOLE, "properties": {"a": {"anyOf": [WHOLE, {"type": "null"}]}}}, True),
        ({**WHOLE, "properties": {"a": {"oneOf": [WHOLE]}}}, False),
        ({**WHOLE, "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": WHOLE}}, True),
        ({**WHOLE, "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": PART}}, False),
        ({"type": "array", "items": WHOLE}, False),
        ({**WHOLE, "anyOf": [WHOLE]}, False),
        (None, False),
    ],
    ids=str,
)
def test_what_openai_keeps_to_strictly_has_no_member_that_may_be_missing(schema: Any, fits: bool) -> None:
    assert can_be_strict(schema) is fits
    tools = [{"name": "f", "input_schema": schema, "strict": True}]
    if isinstance(schema, dict) and "anyOf" not in schema and schema.get("type") == "object":
        assert sent("chat", tools=tools)["tools"][0]["function"]["strict"] is fits
        assert sent("responses", tools=tools)["tools"][0]["strict"] is fits
    if isinstance(schema, dict):
        form = {"format": {"type": "json_schema", "schema": schema}}
        assert sent("chat", output_config=form)["response_format"]["json_schema"]["strict"] is fits
        assert sent("responses", output_config=form)["text"]["format"]["strict"] is fits


@pytest.mark.parametrize("operation", ["chat", "responses"])
def test_who_asks_is_told_in_so_many_characters_as_are_taken(operation: str) -> None:
    """Claude Code tells the device, the account and the session, as JSON."""
    long = json.dumps({"device_id": "d" * 64, "account_uuid": "a" * 36, "session_id": "s" * 36})
    told = [sent(operation, metadata={"user_id": one})["user"] for one in (long, long, long + " ", "u" * 64, "me@x.y")]
    assert told[0] == told[1] != told[2]
    assert len(told[0]) <= 64
    assert told[3:] == ["u" * 64, "me@x.y"]


@pytest.mark.parametrize(("asked_for", "cap"), [(1, 16), (15, 16), (16, 16), (17, 17)])
def test_a_response_is_asked_for_no_fewer_tokens_than_are_taken(asked_for: int, cap: int) -> None:
    assert sent("responses", max_tokens=asked_for)["max_output_tokens"] == cap
    assert sent("chat", max_tokens=asked_for)["max_tokens"] == asked_for


@pytest.mark.parametrize(
    ("model", "asked_for", "effort"),
    [
        ("gpt-4.1-mini", "high", None),
        ("azure/gpt-4o", "high", None),
        ("gpt-5.1-chat-latest", "high", None),
        ("o3", "max", "high"),
        ("o4-mini", "minimal", "low"),
        ("gpt-5", "minimal", "minimal"),
        ("gpt-5-codex", "minimal", "low"),
        ("gpt-5.1", "xhigh", "high"),
        ("gpt-5.1-codex-max", "xhigh", "xhigh"),
        ("openai/gpt-5.6-terra", "max", "xhigh"),
        ("deepseek-v4", "max", "xhigh"),
        ("gpt-4.1", None, None),
        ("gpt-5", None, "minimal"),
        ("o3", None, "low"),
        ("gpt-5.2", None, "none"),
        ("some-deployment", None, "none"),
    ],
)
def test_a_model_is_told_to_think_as_it_takes_it(model: str, asked_for: str | None, effort: str | None) -> None:
    """asked_for None: it is not to think."""
    members: Object = {"thinking": {"type": "disabled" if asked_for is None else "adaptive"}}
    found = asked(**members, **({} if asked_for is None else {"output_config": {"effort": asked_for}}))
    options: Object = {"model": model, "stream": False, "include_usage": False}
    response = msgspec_json.decode(WORDS["responses"].write_request(found, **options))
    assert (response.get("reasoning") or {}).get("effort") == effort
    assert ("include" in response) is (asked_for is not None and effort is not None)
    dropped = set(found.left_out)
    chat = msgspec_json.decode(WORDS["chat"].write_request(found, **options))
    assert chat.get("reasoning_effort") == (None if model == "some-deployment" else effort)
    if effort is None:
        assert dropped == ({"thinking"} if asked_for is not None else set())
    else:
        assert dropped == ({"thinking"} if (asked_for, effort) in ((None, "minimal"), (None, "low")) else set())


@pytest.mark.parametrize(
    ("model", "thinking", "sampled"),
    [
        ("gpt-4.1", "adaptive", True),
        ("o3", "disabled", False),
        ("gpt-5-mini", "disabled", False),
        ("gpt-5.2", "adaptive", False),
        ("gpt-5.2", "disabled", True),
        ("llama-4", "adaptive", True),
    ],
)
def test_models_that_think_are_not_told_how_to_sample(model: str, thinking: str, sampled: bool) -> None:
    for operation in ("chat", "responses"):
        found = asked(thinking={"type": thinking}, temperature=0.2, top_p=1)
        write = WORDS[operation].write_request
        body = msgspec_json.decode(write(found, model=model, stream=False, include_usage=False))
        assert [body.get("temperature"), body.get("top_p")] == ([0.2, 1] if sampled else [None, None])
        assert ("temperature" in found.left_out) is not sampled
        assert "top_p" not in found.left_out


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        *(("deepseek-chat", False), ("deepseek-v4-pro", False), ("deepseek-v4.1-flash", False)),
        *(("deepseek/deepseek-chat", True), ("deepseek-v3.1:671b", True), ("gpt-5.6", True)),
    ],
)
def test_a_schema_is_told_in_words_where_the_model_takes_none(model: str, takes: bool) -> None:
    found = asked(system="Be brief.", output_config={"format": {"type": "json_schema", "schema": WHOLE}})
    body = msgspec_json.decode(WORDS["chat"].write_request(found, model=model, stream=False, include_usage=False))
    assert body["response_format"]["type"] == ("json_schema" if takes else "json_object")
    system = body["messages"][0]
    assert (system["role"], json.dumps(WHOLE, separators=(",", ":")) in system["content"]) == ("system", not takes)
    assert system["content"].endswith("Be brief.")
    assert found.left_out == ([] if takes else ["output_config.format"])


@pytest.mark.parametrize(
    ("model", "choice", "rests"),
    [
        *(("deepseek-v4-flash", "any", True), ("deepseek-v4-flash", "tool", True), ("kimi-k2.6", "any", True)),
        *(("deepseek-v4-flash", "auto", False), ("kimi-k2.7-code", "any", False), ("deepseek-chat", "any", False)),
    ],
)
def test_a_model_that_thinks_by_itself_rests_where_it_must_call(model: str, choice: str, rests: bool) -> None:
    members: Object = {"tools": [{"name": "f", "input_schema": WHOLE}], "tool_choice": {"type": choice, "name": "f"}}
    found = asked(**members, output_config={"effort": "high"})
    body = msgspec_json.decode(WORDS["chat"].write_request(found, model=model, stream=False, include_usage=False))
    assert body.get("thinking") == ({"type": "disabled"} if rests else None)
    assert ("reasoning_effort" in body) is not rests
    assert found.left_out == (["output_config.effort"] if rests else [])

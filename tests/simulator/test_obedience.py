"""The simulator obeys the body, answers the same to the same, and bills what it was asked and what it said."""

import math
import struct
from base64 import b64decode
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator.harness import CHAT, SimulatedReply, SimulatorHarness
from tollhouse.core.operation import Operation
from tollhouse.tokens.estimator import Estimator
from tollhouse.upstream.simulator import words
from tollhouse.upstream.simulator.composer import IMAGE_TOKENS
from tollhouse.upstream.simulator.fitting import fitting

STREAM: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
COMPLETION: dict[str, Any] = {"model": "sim-1", "prompt": "Once at the gate"}
RESPONSE: dict[str, Any] = {"model": "sim-1", "input": "What does the gate say?"}
EMBEDDING: dict[str, Any] = {"model": "sim-1", "input": ["one", "two"], "dimensions": 8}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "gate": {"type": "string"},
        "carts": {"type": "integer", "minimum": 3},
        "open": {"type": "boolean"},
        "kind": {"enum": ["stone", "wood"]},
        "loads": {"type": "array", "items": {"type": "number"}, "minItems": 2},
        "keeper": {"$ref": "#/$defs/person"},
        "note": {"type": ["null", "string"]},
        "free": {"type": "string"},
    },
    "required": ["gate", "carts", "open", "kind", "loads", "keeper", "note"],
    "$defs": {"person": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}},
}
FITTING = {
    "gate": "simulated",
    "carts": 3,
    "open": True,
    "kind": "stone",
    "loads": [1, 1],
    "keeper": {"name": "simulated"},
    "note": "simulated",
}
TOOL = {"type": "function", "function": {"name": "get_toll", "parameters": SCHEMA}}


def _tell(body: dict[str, Any], script: str = "", operation: Operation = "chat") -> SimulatedReply:
    told = SimulatorHarness().whole(body, script, operation)
    assert told.status == 200, told.bytes
    return told


def _text(body: dict[str, Any], script: str = "", operation: Operation = "chat") -> str:
    text = _tell(body, script, operation).json["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


def _streamed(told: SimulatedReply) -> str:
    return "".join(event["choices"][0]["delta"].get("content") or "" for event in told.events if event["choices"])


def _tokens(text: str) -> int:
    return Estimator().count(text, "sim-1")


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("chat", CHAT),
        ("chat", CHAT | STREAM),
        ("completions", COMPLETION),
        ("responses", RESPONSE),
        ("responses", RESPONSE | {"stream": True}),
        ("embeddings", EMBEDDING),
        ("moderations", {"input": "x"}),
    ],
)
def test_the_same_question_has_the_same_answer_and_another_has_another(operation: Operation, body: Any) -> None:
    first = _tell(body, "", operation)
    assert _tell(body, "", operation) == first
    changed = msgspec.json.decode(msgspec.json.encode(body).replace(b"What", b"Who").replace(b"one", b"six"))
    changed = {**changed, "model": "sim-2"} if changed == body else changed
    assert _tell(changed, "", operation).bytes != first.bytes


def test_an_answer_shows_what_it_answers() -> None:
    assert 'to "What does the gate say?"' in _text(CHAT)
    assert _text(CHAT).startswith("Simulated answer ")


def test_a_stream_says_what_the_whole_says_and_reports_the_same_usage() -> None:
    whole, streamed = _tell(CHAT), _tell(CHAT | STREAM)
    assert _streamed(streamed) == whole.json["choices"][0]["message"]["content"]
    assert streamed.events[-1]["usage"] == whole.json["usage"]
    assert streamed.bytes.endswith(b"data: [DONE]\n\n")
    assert streamed.headers[b"content-type"].startswith(b"text/event-stream")
    assert whole.headers[b"content-type"] == b"application/json"


def test_a_stream_reports_usage_only_if_asked() -> None:
    told = _tell(CHAT | {"stream": True})
    assert all(event["choices"] and "usage" not in event for event in told.events)


@pytest.mark.parametrize("operation", ["chat", "completions", "responses"])
def test_stream_and_whole_bill_the_same_in_every_operation(operation: Operation) -> None:
    body = {"chat": CHAT, "completions": COMPLETION, "responses": RESPONSE}[operation]
    whole = _tell(body, "tokens=33", operation).json["usage"]
    options = {"stream": True} if operation == "responses" else STREAM
    last = _tell(body | options, "tokens=33", operation).events[-1]
    assert (last["response"] if operation == "responses" else last)["usage"] == whole
    assert whole.get("completion_tokens", whole.get("output_tokens")) == 33


@given(st.text(max_size=300), st.text(max_size=300))
def test_usage_is_the_count_of_what_was_asked_and_said(system: str, user: str) -> None:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    told = _tell({"model": "sim-1", "messages": messages}).json
    usage = told["usage"]
    assert usage["prompt_tokens"] == _tokens(f"{system}\n{user}")
    assert usage["completion_tokens"] == _tokens(told["choices"][0]["message"]["content"])
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_parts_tools_and_media_count_as_prompt() -> None:
    def prompt_tokens(content: Any, **more: Any) -> int:
        body = {"model": "sim-1", "messages": [{"role": "user", "content": content}], **more}
        tokens = _tell(body).json["usage"]["prompt_tokens"]
        assert isinstance(tokens, int)
        return tokens

    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 9000}}
    text = {"type": "text", "text": "abcdefgh"}
    assert prompt_tokens("abcdefgh") == prompt_tokens([text]) == 2
    assert prompt_tokens([text, image, image]) == 2 + 2 * IMAGE_TOKENS
    assert prompt_tokens("abcdefgh", tools=[TOOL]) > 50


@pytest.mark.parametrize("tokens", [0, 1, 2, 3, 7, 500, 100_000])
def test_tokens_gives_exactly_so_many(tokens: int) -> None:
    told = _tell(CHAT, f"tokens={tokens}").json
    assert told["usage"]["completion_tokens"] == tokens
    assert _tokens(told["choices"][0]["message"]["content"]) == tokens
    assert told["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(("cap", "finish"), [(1, "length"), (499, "length"), (500, "stop"), (501, "stop")])
def test_an_output_cap_is_kept(name: str, cap: int, finish: str) -> None:
    choice = _tell(CHAT | {name: cap}, "tokens=500").json["choices"][0]
    assert choice["finish_reason"] == finish
    assert _tokens(choice["message"]["content"]) == min(cap, 500)


def test_an_output_cap_makes_a_response_incomplete() -> None:
    told = _tell(RESPONSE | {"max_output_tokens": 5}, "", "responses").json
    assert (told["status"], told["usage"]["output_tokens"]) == ("incomplete", 5)


def test_n_answers_are_given_and_billed() -> None:
    one, three = _tell(CHAT).json, _tell(CHAT | {"n": 3}).json
    assert [choice["index"] for choice in three["choices"]] == [0, 1, 2]
    assert three["usage"]["completion_tokens"] == 3 * one["usage"]["completion_tokens"]
    assert three["usage"]["prompt_tokens"] == one["usage"]["prompt_tokens"]


@pytest.mark.parametrize(
    ("prompt", "n", "choices", "tokens"),
    [("abcd", 1, 1, 1), (["abcd", "efgh"], 2, 4, 3), ([1, 2, 3], 1, 1, 3), ([[1, 2], [3]], 1, 2, 3)],
)
def test_each_prompt_of_completions_is_answered(prompt: Any, n: int, choices: int, tokens: int) -> None:
    told = _tell({"model": "sim-1", "prompt": prompt, "n": n}, "tokens=5", "completions").json
    assert len(told["choices"]) == choices
    assert (told["usage"]["prompt_tokens"], told["usage"]["completion_tokens"]) == (tokens, 5 * choices)


@pytest.mark.parametrize("stop", [" ", ["nowhere", " "], "answer"])
def test_a_stop_ends_the_text_before_it(stop: Any) -> None:
    told = _tell(CHAT | {"stop": stop}).json
    choice = told["choices"][0]
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["content"] == ("Simulated " if stop == "answer" else "Simulated")
    assert told["usage"]["completion_tokens"] == _tokens(choice["message"]["content"])


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_toll"}}])
def test_a_forced_tool_is_called_with_arguments_that_fit(choice: Any) -> None:
    told = _tell(CHAT | {"tools": [TOOL], "tool_choice": choice}).json
    message = told["choices"][0]["message"]
    assert told["choices"][0]["finish_reason"] == "tool_calls"
    assert message["content"] is None
    function = message["tool_calls"][0]["function"]
    assert (function["name"], msgspec.json.decode(function["arguments"])) == ("get_toll", FITTING)
    assert told["usage"]["completion_tokens"] == _tokens("get_toll") + _tokens(function["arguments"])


def test_a_tool_is_called_by_script_until_its_result_is_there() -> None:
    asked = CHAT | {"tools": [TOOL]}
    message = _tell(asked, "tool=get_toll").json["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "12 pence"}
    answered = asked | {"messages": [*CHAT["messages"], message, result]}
    assert 'to "12 pence"' in _text(answered, "tool=get_toll")
    assert _tell(CHAT, "tool=unknown").json["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_a_tool_call_in_a_stream_adds_up_to_the_whole() -> None:
    body = CHAT | {"tools": [TOOL]}
    whole = _tell(body, "tool=get_toll").json
    streamed = _tell(body | STREAM, "tool=get_toll")
    deltas = [event["choices"][0]["delta"] for event in streamed.events if event["choices"]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    arguments = "".join(call["function"].get("arguments", "") for call in calls)
    assert arguments == whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    assert streamed.events[-1]["usage"] == whole["usage"]


def test_a_tool_call_does_not_exceed_the_cap_either() -> None:
    enough = _tokens("get_toll") + _tokens("{}")
    told = _tell(CHAT | {"max_tokens": enough}, "tool=get_toll").json
    assert (told["choices"][0]["finish_reason"], told["usage"]["completion_tokens"]) == ("tool_calls", enough)
    told = _tell(CHAT | {"tools": [TOOL], "max_tokens": 4}, "tool=get_toll").json
    assert told["choices"][0]["finish_reason"] == "length"
    assert told["usage"]["completion_tokens"] <= 4


def test_responses_call_tools_in_their_own_form() -> None:
    tool = {"type": "function", "name": "get_toll", "parameters": SCHEMA}
    body = RESPONSE | {"tools": [tool], "tool_choice": {"type": "function", "name": "get_toll"}}
    call = _tell(body, "", "responses").json["output"][0]
    assert (call["type"], call["name"], msgspec.json.decode(call["arguments"])) == (
        *("function_call", "get_toll"),
        FITTING,
    )
    turns = [{"role": "user", "content": "x"}, call, {"type": "function_call_output", "call_id": "c", "output": "9"}]
    told = _tell(RESPONSE | {"input": turns, "tools": [tool]}, "tool=get_toll", "responses").json
    assert 'to "9"' in told["output"][0]["content"][0]["text"]


def test_a_tool_choice_that_is_no_tool_is_refused() -> None:
    body = CHAT | {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "other"}}}
    told = SimulatorHarness().whole(body)
    assert (told.status, told.error["param"]) == (400, "tool_choice")


def test_json_is_answered_where_json_is_asked_for() -> None:
    assert msgspec.json.decode(_text(CHAT | {"response_format": {"type": "json_object"}})) == {"answer": "simulated"}
    named = {"type": "json_schema", "json_schema": {"name": "toll", "schema": SCHEMA}}
    assert msgspec.json.decode(_text(CHAT | {"response_format": named})) == FITTING
    text = {"format": {"type": "json_schema", "name": "toll", "schema": SCHEMA}}
    told = _tell(RESPONSE | {"text": text}, "", "responses").json
    assert msgspec.json.decode(told["output"][0]["content"][0]["text"]) == FITTING


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (None, {}),
        (True, {}),
        ({}, {}),
        ({"type": "object"}, {}),
        ({"type": "object", "required": ["a"]}, {}),
        ({"properties": {"a": {}, "b": {"type": "null"}}}, {"a": "simulated", "b": None}),
        ({"properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}}, {"a": 1}),
        ({"properties": {"a": {"const": 7}, "b": {"default": [1]}}}, {"a": 7, "b": [1]}),
        ({"properties": {"a": {"type": "string", "minLength": 3}}}, {"a": "xxx"}),
        ({"properties": {"a": {"$ref": "#/nowhere"}}}, {"a": None}),
        ({"type": "array", "items": {"type": "string"}, "minItems": 1}, ["simulated"]),
    ],
)
def test_the_simplest_value_that_fits(schema: object, value: object) -> None:
    assert fitting(schema) == value


def test_a_schema_that_contains_itself_comes_to_an_end() -> None:
    assert fitting({"properties": {"next": {"$ref": "#"}}, "required": ["next"]}) is not None


def test_logprobs_are_given_where_asked_for() -> None:
    whole = _tell(CHAT | {"logprobs": True}).json["choices"][0]
    tokens = [entry["token"] for entry in whole["logprobs"]["content"]]
    assert "".join(tokens) == whole["message"]["content"]
    streamed = _tell(CHAT | {"logprobs": True} | STREAM)
    choices = [event["choices"][0] for event in streamed.events if event["choices"]]
    assert [choice["logprobs"]["content"][0]["token"] for choice in choices if choice["logprobs"]] == tokens
    assert streamed.bytes.endswith(b"data: [DONE]\n\n")
    assert _tell(CHAT).json["choices"][0]["logprobs"] is None


def test_no_usage_leaves_it_out() -> None:
    assert "usage" not in _tell(CHAT, "no_usage").json
    assert all(event["choices"] for event in _tell(CHAT | STREAM, "no_usage").events)
    assert "usage" not in _tell(EMBEDDING, "no_usage", "embeddings").json
    assert _tell(RESPONSE, "no_usage", "responses").json["usage"] is None


def test_embeddings_are_unit_vectors_in_order_and_equal_in_both_encodings() -> None:
    floats = _tell(EMBEDDING, "", "embeddings").json
    coded = _tell(EMBEDDING | {"encoding_format": "base64"}, "", "embeddings").json
    vectors = [entry["embedding"] for entry in floats["data"]]
    assert [list(struct.unpack("<8f", b64decode(entry["embedding"]))) for entry in coded["data"]] == vectors
    assert [entry["index"] for entry in floats["data"]] == [0, 1]
    assert all(math.isclose(math.hypot(*vector), 1, abs_tol=1e-6) for vector in vectors)
    alone = _tell(EMBEDDING | {"input": "two"}, "", "embeddings").json
    assert alone["data"][0]["embedding"] == vectors[1]
    tokens = _tokens("\n".join(EMBEDDING["input"]))
    assert floats["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}


def test_embeddings_take_token_ids_and_have_the_usual_dimensions() -> None:
    told = _tell({"model": "sim-1", "input": [[1, 2, 3], [4]]}, "", "embeddings").json
    assert [len(entry["embedding"]) for entry in told["data"]] == [1536, 1536]
    assert told["usage"]["prompt_tokens"] == 4
    assert len(_tell({"model": "sim-1", "input": [1, 2, 3]}, "", "embeddings").json["data"]) == 1


@pytest.mark.parametrize(
    ("operation", "body", "name"),
    [
        ("chat", CHAT | {"n": 129}, "n"),
        ("completions", COMPLETION | {"n": 10**9}, "n"),
        ("completions", COMPLETION | {"prompt": ["x"] * 2049}, "prompt"),
        ("embeddings", EMBEDDING | {"input": ["x"] * 2049}, "input"),
    ],
)
def test_more_answers_than_fit_into_memory_are_refused(operation: Operation, body: dict[str, Any], name: str) -> None:
    told = SimulatorHarness().whole(body, "", operation)
    assert (told.status, told.error["param"]) == (400, name)


@pytest.mark.parametrize(("name", "value"), [("dimensions", 0), ("dimensions", 4097), ("encoding_format", "hex")])
def test_embeddings_that_cannot_be_made_are_refused(name: str, value: object) -> None:
    told = SimulatorHarness().whole(EMBEDDING | {name: value}, "", "embeddings")
    assert (told.status, told.error["param"]) == (400, name)


@pytest.mark.parametrize(
    ("given_input", "flagged"),
    [
        ("peace", [False]),
        (["peace", "some Violence"], [False, True]),
        ([{"type": "text", "text": "violence"}, {"type": "image_url", "image_url": {"url": "x"}}], [True]),
    ],
)
def test_moderations_flag_violence_by_its_name(given_input: Any, flagged: list[bool]) -> None:
    told = _tell({"input": given_input}, "", "moderations").json
    assert [result["flagged"] for result in told["results"]] == flagged


@pytest.mark.parametrize(
    "messages", ["[" * 5000 + "]" * 5000, '[{"content":' + '{"content":' * 3000 + '""' + "}" * 3001 + "]"]
)
def test_deep_nesting_is_a_400(messages: str) -> None:
    test_mode_endpoints = SimulatorHarness()

    async def status() -> int:
        call = test_mode_endpoints.outgoing(b'{"model":"m","messages":' + messages.encode() + b"}")
        return (await test_mode_endpoints.simulator.send(call)).status

    assert test_mode_endpoints.run(status()) == 400


@given(st.text(max_size=200))
def test_pieces_join_to_the_text(text: str) -> None:
    assert "".join(words.pieces(text)) == text


@given(st.text(max_size=200), st.integers(0, 60))
def test_a_cut_is_the_longest_beginning_that_fits(text: str, tokens: int) -> None:
    cut = words.cut(text, tokens, _tokens)
    assert text.startswith(cut)
    assert _tokens(cut) <= tokens
    assert cut == text or _tokens(text[: len(cut) + 1]) > tokens

"""What a simulated answer takes over from its request: objects that a prompt describes, functions, a response's own."""

import json
from typing import Any

import pytest

from tests.simulator.harness import CHAT, SimulatedReply, SimulatorHarness
from tollhouse.core.operation import Operation
from tollhouse.upstream.simulator.fitting import fitting

RESPONSE: dict[str, Any] = {"model": "sim-1", "input": "What does the gate say?"}


def said(prompt: str, system: str = "Answer in JSON.") -> Any:
    messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
    body = {"model": "sim-1", "messages": messages, "response_format": {"type": "json_object"}}
    return json.loads(SimulatorHarness().whole(body).json["choices"][0]["message"]["content"])


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Tell me of the gate.", {"answer": "simulated"}),
        ('Use the keys "name" (string) and "age" (integer).', {"name": "simulated", "age": 1}),
        ("Return `city`, `open` (boolean), `tags` (list)", {"city": "simulated", "open": True, "tags": ["simulated"]}),
        ("JSON object with keys name, age and city", {"name": "simulated", "age": "simulated", "city": "simulated"}),
        ("Give fields: toll (number), gate (string)", {"toll": 1, "gate": "simulated"}),
        ("with properties called gate and keeper.", {"gate": "simulated", "keeper": "simulated"}),
        ('Like {"gate": "A-17", "count": 250, "open": false}', {"gate": "simulated", "count": 1, "open": True}),
        ('Like {"carts": [{"load": 2.5}], "note": {"by": "x"}}', {"carts": [{"load": 1}], "note": {"by": "simulated"}}),
        ('Schema: {"type":"object","properties":{"n":{"type":"integer","minimum":3}},"required":["n"]}', {"n": 3}),
        ('Begin { this is no JSON, then {"a": 1}', {"a": 1}),
        ("Fill {gate} and 'keeper': \"name\"", {"keeper": "simulated", "name": "simulated"}),
        ("the number of carts as 'carts' (number of carts)", {"carts": 1}),
    ],
)  # fmt: skip
def test_an_object_looks_as_the_prompt_describes_it(prompt: str, answer: Any) -> None:
    assert said(prompt) == answer
    assert said("Go.", prompt) == answer


@pytest.mark.parametrize(
    "prompt", ["{" * 50_000, '{"a":' * 5_000, "keys: " + "a, " * 20_000, "'a'" * 20_000, "keys " * 9_000]
)
def test_a_prompt_that_describes_too_much_is_read_as_far_as_it_goes(prompt: str) -> None:
    assert isinstance(said(prompt), dict)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "array", "items": {"type": "string"}}, ["simulated"]),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 0}, []),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 3}, ["simulated"] * 2),
        ({"type": "array"}, []),
        ({"properties": {"a": {"type": "array", "items": {"type": "integer"}}}}, {"a": [1]}),
        ({"type": "integer", "minimum": -(2**31), "maximum": 2**31}, 1),
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "maximum": -2}, -2),
        ({"type": "integer", "exclusiveMinimum": 1}, 2),
        ({"type": "integer", "exclusiveMaximum": 1}, 0),
        ({"type": "integer", "minimum": 2, "multipleOf": 5}, 5),
        ({"type": "number", "minimum": 0, "maximum": 0.5}, 0.5),
    ],
)
def test_arrays_are_not_always_empty_and_figures_small(schema: Any, value: Any) -> None:
    assert fitting(schema) == value


def test_a_schema_that_holds_itself_ends() -> None:
    kin = {"type": "array", "items": {"$ref": "#"}}
    tree = {"type": "object", "properties": {"left": kin, "right": kin}, "required": ["left", "right"]}
    assert fitting(tree)


FUNCTIONS = [{"name": "open_gate", "parameters": {"properties": {"gate": {"type": "string"}}, "required": ["gate"]}}]


@pytest.mark.parametrize("how", [{"function_call": {"name": "open_gate"}}, {}])
def test_functions_are_called_in_their_own_form(how: dict[str, Any]) -> None:
    script = "" if how else "tool=open_gate"
    whole = SimulatorHarness().whole({**CHAT, "functions": FUNCTIONS, **how}, script).json["choices"][0]
    assert whole["finish_reason"] == "function_call"
    assert whole["message"]["function_call"] == {"name": "open_gate", "arguments": '{"gate":"simulated"}'}
    assert "tool_calls" not in whole["message"]
    events = SimulatorHarness().whole({**CHAT, "functions": FUNCTIONS, "stream": True, **how}, script).events
    calls = [event["choices"][0]["delta"].get("function_call", {}) for event in events]
    assert "".join(call.get("name", "") for call in calls) == "open_gate"
    assert "".join(call.get("arguments", "") for call in calls) == '{"gate":"simulated"}'
    assert events[-1]["choices"][0]["finish_reason"] == "function_call"


def test_what_a_function_gave_is_answered_in_words() -> None:
    messages = [*CHAT["messages"], {"role": "function", "name": "open_gate", "content": "open"}]
    told = SimulatorHarness().whole({**CHAT, "messages": messages, "functions": FUNCTIONS}, "tool=open_gate").json
    assert told["choices"][0]["finish_reason"] == "stop"
    refused = SimulatorHarness().whole({**CHAT, "functions": FUNCTIONS, "function_call": {"name": "shut"}})
    assert refused.status == 400


REPEATED: dict[str, Any] = {
    "instructions": "Be brief.",
    "max_output_tokens": 300,
    "temperature": 0.25,
    "top_p": 0.5,
    "metadata": {"cart": "7"},
    "tools": [{"type": "function", "name": "open_gate", "parameters": {"type": "object"}, "strict": True}],
    "tool_choice": "none",
    "text": {"format": {"type": "json_object"}, "verbosity": "low"},
    "reasoning": {"effort": "low"},
    "parallel_tool_calls": False,
    "user": "keeper",
}


def responses(told: SimulatedReply) -> list[Any]:
    return [event["response"] for event in told.events if "response" in event]


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_says_again_what_was_asked(stream: bool) -> None:
    told = SimulatorHarness().whole({**RESPONSE, **REPEATED, "stream": stream}, operation="responses")
    for response in responses(told) if stream else [told.json]:
        expected = {**REPEATED, "reasoning": {"effort": "low", "summary": None}}
        assert {name: response[name] for name in REPEATED} == expected


def test_what_a_response_was_not_asked_is_as_usual() -> None:
    nulls = dict.fromkeys(REPEATED)
    told = SimulatorHarness().whole({**RESPONSE, "text": {"verbosity": "low"}}, operation="responses").json
    assert told["text"] == {"format": {"type": "text"}, "verbosity": "low"}
    for body in (RESPONSE, {**RESPONSE, **nulls}):
        plain = SimulatorHarness().whole(body, operation="responses").json
        assert (plain["temperature"], plain["tools"], plain["metadata"], plain["instructions"]) == (1.0, [], {}, None)
        assert plain["text"] == {"format": {"type": "text"}}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "named", [{"previous_response_id": "resp_1"}, {"conversation": "conv_1"}, {"conversation": {"id": "c"}}]
)
def test_what_a_provider_would_keep_is_a_400_that_says_so(named: dict[str, Any], stream: bool) -> None:
    told = SimulatorHarness().whole({**RESPONSE, "stream": stream, **named}, operation="responses")
    (name,) = named
    assert (told.status, told.error["param"], told.error["code"]) == (400, name, "unsupported_parameter")
    assert "keeps no responses" in told.error["message"]
    assert SimulatorHarness().whole({**RESPONSE, name: None}, operation="responses").status == 200


def told_of(
    operation: Operation, body: dict[str, Any], context: int | None, longest: int | None, script: str = ""
) -> SimulatedReply:
    """The answer of a model of this size."""
    test_mode_endpoints = SimulatorHarness()

    async def main() -> SimulatedReply:
        call = test_mode_endpoints.outgoing(json.dumps({"model": "sim-1", **body}).encode(), operation)
        call.context_tokens, call.max_output_tokens, call.script = context, longest, script
        answer = await test_mode_endpoints.simulator.send(call)
        told = SimulatedReply(answer.status, dict(answer.headers))
        while piece := await answer.read():
            told.pieces.append(piece)
        return told

    return test_mode_endpoints.run(main())


LONG = "toll " * 200
PROMPTS: dict[Operation, tuple[str, dict[str, Any]]] = {
    "chat": ("messages", {"messages": [{"role": "user", "content": LONG}]}),
    "completions": ("prompt", {"prompt": LONG}),
    "responses": ("input", {"input": LONG}),
    "embeddings": ("input", {"input": LONG}),
    "moderations": ("input", {"input": LONG}),
}
CAPS: list[tuple[Operation, str]] = [
    ("chat", "max_tokens"),
    ("chat", "max_completion_tokens"),
    ("completions", "max_tokens"),
    ("responses", "max_output_tokens"),
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("operation", PROMPTS)
def test_a_prompt_above_the_context_is_refused_as_by_the_original(operation: Operation, stream: bool) -> None:
    param, body = PROMPTS[operation]
    told = told_of(operation, {**body, "stream": stream}, 100, 50)
    assert (told.status, told.error["code"], told.error["param"]) == (400, "context_length_exceeded", param)
    assert "maximum context length is 100 tokens" in told.error["message"]
    for room in (1_000, None):
        assert told_of(operation, {**body, "stream": stream}, room, None).status == 200


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("operation", "name"), CAPS)
def test_a_cap_above_the_longest_answer_is_refused(operation: Operation, name: str, stream: bool) -> None:
    body = {**PROMPTS[operation][1], "stream": stream}
    for context, longest in ((1_000, 50), (None, 50), (1_000, 999), (1_000, None)):
        most = longest or 1_000
        told = told_of(operation, {**body, name: most + 1}, context, longest)
        assert (told.status, told.error["code"], told.error["param"]) == (400, "context_length_exceeded", name)
        assert "maximum context length" in told.error["message"]
        assert f"at most {most} " in told.error["message"]
        assert told_of(operation, {**body, name: most}, context, longest).status == 200
    assert told_of(operation, {**body, name: 10**6}, None, None).status == 200


def test_what_a_script_asks_for_comes_first() -> None:
    assert told_of("chat", PROMPTS["chat"][1], 100, 50, "status=503").status == 503
    assert told_of("embeddings", {"input": [LONG, "a"], "max_tokens": 10**6}, 150, 50).status == 200

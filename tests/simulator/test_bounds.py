"""One simulated answer is bounded as a product, before it is made: G1 and its kind."""

from typing import Any

import msgspec
import pytest

from tests.simulator.harness import CHAT, SimulatedReply, SimulatorHarness
from tollhouse.core.failure import BadRequest
from tollhouse.core.operation import Operation
from tollhouse.core.workers import InlineWorkers
from tollhouse.upstream.simulator import simulated_request, words
from tollhouse.upstream.simulator.bounds import (
    BYTES_MAX,
    FIGURES_MAX,
    LIGHT_BODY,
    SCHEMA_CHARACTERS_MAX,
    SCHEMA_VALUES_MAX,
    TOKENS_MAX,
)
from tollhouse.upstream.simulator.composer import compose
from tollhouse.upstream.simulator.fitting import fitting
from tollhouse.upstream.simulator.resting import REST, Resting
from tollhouse.upstream.simulator.script import Script

Body = dict[str, Any]


def nested(levels: int, least: int = 20) -> Body:
    schema: Body = {"type": "integer"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema, "minItems": least}
    return schema


def as_schema(schema: object) -> Body:
    return CHAT | {"response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}}


def as_tool(schema: object) -> Body:
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    return CHAT | {"tools": [tool], "tool_choice": "required"}


def looping(width: int) -> Body:
    """Each level holds itself so many times."""
    names = [f"p{number}" for number in range(width)]
    return {"properties": {name: {"$ref": "#"} for name in names}, "required": names}


def shared(value: object, width: int) -> Body:
    """One large value, named many times."""
    names = [f"p{number}" for number in range(width)]
    refs = {name: {"$ref": "#/$defs/one"} for name in names}
    return {"$defs": {"one": value}, "properties": refs, "required": names}


SCHEMAS: dict[str, object] = {
    "eight levels of twenty": nested(8),
    "five levels of twenty": nested(5),
    "one level of a billion": nested(1, 10**9),
    "two levels of a thousand": nested(2, 1000),
    "a string of a billion": {"type": "object", "properties": {"a": {"type": "string", "minLength": 10**9}}},
    "many strings": {"type": "array", "minItems": 4000, "items": {"type": "string", "minLength": 4000}},
    "itself, nine times a level": looping(9),
    "a large constant, often": shared({"const": "x" * 10_000}, 500),
    "a large choice, often": shared({"enum": ["x" * 10_000]}, 500),
    "a large default, often": shared({"default": ["x"] * 10_000}, 500),
    "a megabyte to choose": {"enum": ["x" * 1_000_000]},
    "long names, often": shared({"properties": {"n" * 10_000: {}}, "required": ["n" * 10_000]}, 500),
    "one name a million times": {"properties": {"a": {}}, "required": ["a"] * 1_000_000},
    "a million names that are none": {"properties": {"a": {}}, "required": [1] * 1_000_000},
    "any of itself": {"anyOf": [nested(6)]},
    "a choice of its own size": {"allOf": [looping(12)]},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_grows_by_a_bounded_product_whatever_it_is_made_of(name: str) -> None:
    for body in (as_schema(SCHEMAS[name]), as_tool(SCHEMAS[name])):
        told = SimulatorHarness().whole(body)
        assert told.status == 400
        assert f"at most {SCHEMA_VALUES_MAX} values of {SCHEMA_CHARACTERS_MAX} characters" in told.error["message"]


class Looked(dict[str, object]):
    """A schema that notes how often it is looked at."""

    times = 0

    def get(self, name: str, default: object = None) -> object:
        Looked.times += 1
        return super().get(name, default)


@pytest.mark.parametrize("levels", [3, 5, 8])
def test_what_is_spent_before_a_schema_is_refused_does_not_grow_with_its_levels(levels: int) -> None:
    schema = Looked(type="integer")
    for _ in range(levels):
        schema = Looked(type="array", items=schema, minItems=20)
    Looked.times = 0
    with pytest.raises(BadRequest):
        fitting(schema)
    assert Looked.times < 10 * SCHEMA_VALUES_MAX


def test_a_schema_within_the_bounds_is_obeyed_to_the_letter() -> None:
    value = fitting({"type": "array", "minItems": 70, "items": {"type": "string", "minLength": 900}})
    assert value == ["x" * 900] * 70


LARGE: dict[str, tuple[Operation, Body, str]] = {
    "tokens by answers": ("chat", CHAT | {"n": 128}, "tokens=1000"),
    "tokens by prompts": ("completions", {"model": "m", "prompt": ["a"] * 200}, "tokens=1000"),
    "replies by prompts by n": ("completions", {"model": "m", "prompt": ["a"] * 2048, "n": 128}, ""),
    "probabilities": ("chat", CHAT | {"logprobs": True}, "tokens=10000"),
    "probabilities by answers": ("chat", CHAT | {"logprobs": True, "n": 100}, "tokens=100"),
    "figures": ("embeddings", {"model": "m", "input": ["a"] * 2048, "dimensions": 4096}, ""),
    "figures without dimensions": ("embeddings", {"model": "m", "input": ["a"] * 342}, ""),
    "results": ("moderations", {"model": "m", "input": ["a"] * 513}, ""),
    "a schema by answers": ("chat", as_schema(nested(2, 60)) | {"n": 128}, ""),
    "arguments by answers": ("chat", as_tool(nested(2, 60)) | {"n": 128}, ""),
    "stop sequences": ("chat", CHAT | {"stop": ["a"] * 5}, ""),
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_multiplies_is_refused_before_it_is_made(name: str, stream: bool) -> None:
    operation, body, script = LARGE[name]
    told = SimulatorHarness().whole(body | ({"stream": True} if stream else {}), script, operation)
    assert told.status == 400
    assert "at most" in told.error["message"]


def _longest(body: Body, script: str, operation: Operation = "chat") -> SimulatedReply:
    told = SimulatorHarness().whole(body, script, operation)
    assert told.status == 200
    return told


def test_the_largest_answers_stay_small() -> None:
    assert len(_longest(CHAT, f"tokens={TOKENS_MAX}").bytes) < BYTES_MAX
    assert len(_longest(CHAT | {"n": 100}, f"tokens={TOKENS_MAX // 100}").bytes) < BYTES_MAX
    inputs = ["a"] * (FIGURES_MAX // 1536)
    figures = _longest({"model": "m", "input": inputs, "encoding_format": "base64"}, "", "embeddings")
    assert len(figures.bytes) < 3 * BYTES_MAX


def test_events_are_made_when_they_are_read() -> None:
    """A call of 100,000 tokens that nobody reads holds its text, and not one event of some 250 bytes a token."""
    body = simulated_request.read(msgspec.json.encode(CHAT | {"stream": True, "n": 1}), "chat")
    made = compose(body, Script(text="", tokens=20_000), SimulatorHarness().simulator._count, 1, 0)
    events = iter(made.pieces)
    assert not isinstance(made.pieces, list | tuple)
    assert next(events).startswith(b"data: ")
    assert sum(1 for _ in events) > 10_000


def test_what_is_large_is_read_and_made_aside_and_what_is_small_is_not() -> None:
    for body, script, threads in (
        (CHAT, "", 0),
        (CHAT | {"stream": True}, "chunk_ms=1", 0),
        (CHAT, "tokens=50000", 1),
        (as_schema({}), "", 1),
        (as_tool({}), "", 1),
        (CHAT | {"messages": [{"role": "user", "content": "a" * LIGHT_BODY}]}, "", 2),
        ({"model": "m", "input": ["a"] * 100}, "", 1),
        ({"model": "m", "input": ["a"] * 2048, "dimensions": 1}, "", 1),
    ):
        test_mode_endpoints = SimulatorHarness()
        operation: Operation = "embeddings" if "input" in body else "chat"
        test_mode_endpoints.whole(body, script, operation)
        assert test_mode_endpoints.threads.asked_by == ["key_a"] * threads


def test_threads_rest_three_times_as_long_as_they_worked() -> None:
    class SteppedClock:
        ns = 0

        def now_ms(self) -> int:
            return 0

        def ticks_ns(self) -> int:
            self.ns += 2_000_000_000
            return self.ns

    rests: list[float] = []
    test_mode_endpoints = SimulatorHarness()
    resting = Resting(InlineWorkers(), SteppedClock(), rests.append)
    assert test_mode_endpoints.run(resting.run("key_a", lambda: 7)) == 7
    assert rests == [2 * REST]


@pytest.mark.parametrize("tokens", [1_000, 5_000, 40_000])
def test_a_long_text_is_cut_by_few_looks_at_the_whole(tokens: int) -> None:
    looked: list[int] = []

    def count(text: str) -> int:
        looked.append(len(text))
        return len(text.split())

    text = "toll " * 50_000
    found = words.cut(text, tokens, count)
    assert len(found.split()) == tokens
    assert sum(looked) < 3 * len(text)


def test_deep_content_is_no_text_and_costs_no_more_than_its_bytes() -> None:
    deep: object = "deep"
    for _ in range(100):
        deep = [{"content": deep}]
    told = SimulatorHarness().whole(CHAT | {"messages": [{"role": "user", "content": deep}]})
    assert told.status == 200
    assert "deep" not in told.json["choices"][0]["message"]["content"]

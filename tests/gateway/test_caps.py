"""Every name of an output cap on every route: it bounds the hold, or is refused, and the provider is told no other."""

import json
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import GatewayHarness, answer, buffered, run
from tests.gateway.test_worst_cases import LONGEST, MODEL, USD, body, bounds, priced
from tollhouse.core.failure import BadRequest
from tollhouse.core.operation import Operation
from tollhouse.formats.openai.parameters import CAPS, OTHER_CAPS, folded

OWN: dict[Operation, tuple[str, ...]] = {
    "chat": ("max_completion_tokens", "max_tokens"),
    "completions": ("max_tokens",),
    "responses": ("max_output_tokens",),
}
SPELLINGS = (
    *("max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "maxOutputTokens"),
    *("maxCompletionTokens", "max_new_tokens", "maxNewTokens", "max-new-tokens", "max_length", "max_len", "maxLength"),
    *("max_gen_len", "max_tokens_to_sample", "maxTokenCount", "max_generation_tokens", "max_output_length"),
    *("max_completion_length", "max_answer_tokens", "max_decode_tokens", "max_response_tokens", "num_predict"),
    *("n_predict", "nPredict", "tokens_to_generate", "output_len", "output_length"),
)
WHOLE: dict[Operation, bytes] = {
    "chat": answer(),
    "completions": answer(),
    "responses": b'{"object":"response","output":[],"usage":{"input_tokens":1,"output_tokens":1}}',
    "embeddings": b'{"object":"list","data":[{"embedding":[0.5]}],"usage":{"prompt_tokens":1,"total_tokens":1}}',
    "moderations": b'{"id":"m","results":[]}',
}
GENERATING: tuple[Operation, ...] = ("chat", "completions", "responses")


def asking(operation: Operation, members: dict[str, Any]) -> bytes:
    if operation == "moderations":
        return json.dumps({"model": "house-1", "input": "hi", **members}).encode()
    return body(operation, **members)


def held(operation: Operation, members: dict[str, Any]) -> int:
    """Tokens of output that a call is held for."""
    found: list[int] = []

    async def main() -> None:
        found.append(
            (await bounds(GatewayHarness(model=MODEL, money=10 * USD), asking(operation, members), operation))[1]
        )

    run(main())
    return found[0]


def sent(operation: Operation, members: dict[str, Any]) -> dict[str, Any]:
    """What the provider is told of caps."""
    harness = GatewayHarness(first=FakeUpstream(buffered(WHOLE[operation])), model=MODEL, money=10 * USD)
    run(harness.ask(FakeCallerConnection(asking(operation, members)), operation))
    told: dict[str, Any] = json.loads(harness.first.calls[0].body)
    return {name: value for name, value in told.items() if name in SPELLINGS}


def test_the_table_names_every_cap() -> None:
    assert {name: set(caps) for name, caps in CAPS.items() if caps} == {name: set(caps) for name, caps in OWN.items()}
    assert {folded(name) for name in SPELLINGS} >= OTHER_CAPS


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("operation", GENERATING)
def test_a_cap_by_any_name_bounds_the_hold_and_goes_on_as_it_was_held_for(operation: Operation, name: str) -> None:
    if name in OWN[operation]:
        assert held(operation, {name: 700}) == 700
        assert sent(operation, {name: 700}) == dict.fromkeys(OWN[operation], 700)
        return
    own = OWN[operation][0]
    assert held(operation, {own: 5, name: 700}) == 700, "who reads it may write so much"
    assert held(operation, {own: 900, name: 700}) == 900, "who does not may write this much"
    assert held(operation, {own: 5, name: 10**9}) == LONGEST
    assert held(operation, {name: 700}) == held(operation, {}), "it alone binds nobody: a cap is added"
    assert sent(operation, {own: 5, name: 700}) == {**dict.fromkeys(OWN[operation], 5), name: 700}
    alone = sent(operation, {name: 700})
    assert alone.pop(name) == 700
    assert set(alone.values()) <= {held(operation, {name: 700})}


@pytest.mark.parametrize("value", [0, -1, 7.5, "7", True, [7], {"value": 7}, 2**40])
@pytest.mark.parametrize("operation", GENERATING)
def test_a_cap_that_is_none_is_refused_by_its_name(operation: Operation, value: object) -> None:
    for name in SPELLINGS:
        with pytest.raises(BadRequest) as caught:
            held(operation, {name: value})
        assert caught.value.param == name
        assert held(operation, {name: None}) == held(operation, {}), "null counts as absent"


@pytest.mark.parametrize("name", ["Max_Tokens", "MAX_TOKENS", "Max_Completion_Tokens", "max_Output_Tokens"])
@pytest.mark.parametrize("operation", GENERATING)
def test_a_cap_that_some_read_in_other_letters_is_refused(operation: Operation, name: str) -> None:
    with pytest.raises(BadRequest, match="write it so") as caught:
        held(operation, {name: 7})
    assert caught.value.param == name


ENVELOPES: list[dict[str, Any]] = [
    {"options": {"num_predict": 9_000}},
    {"parameters": {"max_new_tokens": 9_000}},
    {"extra_body": {"max_tokens": 9_000}},
    {"generation_config": {"max_output_tokens": 9_000}},
    {"generationConfig": {"maxOutputTokens": 9_000}},
    {"sampling_params": {"max_new_tokens": 9_000}},
    {"provider_options": {"gateway": {"maxTokens": 9_000}}},
    {"textGenerationConfig": {"maxTokenCount": 9_000}},
    {"inferenceConfig": {"maxTokens": 9_000}},
    {"nvext": {"max_thinking_tokens": 9_000}},
    {"output_budget": 9_000},
]


@pytest.mark.parametrize("envelope", ENVELOPES, ids=lambda one: next(iter(one)))
@pytest.mark.parametrize("operation", GENERATING)
def test_a_cap_where_it_cannot_be_read_is_held_for_as_the_longest_answer(
    operation: Operation, envelope: dict[str, Any]
) -> None:
    assert held(operation, {OWN[operation][0]: 5, **envelope}) == 5 + LONGEST
    assert sent(operation, {OWN[operation][0]: 5, **envelope}) == dict.fromkeys(OWN[operation], 5)


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("operation", ["embeddings", "moderations"])
def test_what_writes_nothing_has_no_cap_to_hold_for(operation: Operation, name: str) -> None:
    assert held(operation, {name: 700}) == 0
    assert sent(operation, {name: 700}) == {name: 700}, "it is the provider's to judge"


PICTURE = "data:image/png;base64,iVBORw0KGgo="
PICTURES: dict[str, Any] = {
    "parts": [{"type": "text", "text": "a gate"}, {"type": "image_url", "image_url": {"url": PICTURE}}],
    "a picture": [{"image": PICTURE}],
    "one object": {"text": "a gate", "image": PICTURE},
}


@pytest.mark.parametrize("form", PICTURES)
def test_embeddings_of_pictures_cost_what_their_report_says(form: str) -> None:
    async def main() -> None:
        vector = {"object": "list", "data": [{"object": "embedding", "index": 0, "embedding": [0.5]}]}
        told = json.dumps({**vector, "usage": {"prompt_tokens": 640, "total_tokens": 640}}).encode()
        harness = priced(
            GatewayHarness(first=FakeUpstream(buffered(told)), model=MODEL, money=10 * USD), {"input": "0.02"}
        )
        client = FakeCallerConnection(body("embeddings", input=PICTURES[form]))
        await harness.ask(client, "embeddings")
        assert client.status == 200
        assert json.loads(harness.first.calls[0].body)["input"] == PICTURES[form]
        assert (harness.record.usage.tokens_in(), harness.record.usage_source) == (640, "upstream")
        charge = harness.record.charge
        assert charge is not None
        assert (charge.amount, charge.overrun) == (12_800, 0)

    run(main())

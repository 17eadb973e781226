"""What went wrong with the bills of other platforms, each as a test of this one, named after the report."""

import asyncio
import json
from typing import Any

import pytest

from tests.gateway.fakes import NOW_MS, FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import (
    DONE,
    FINISH,
    NOTHING_STREAMS,
    ROLE,
    STORY,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    buffered,
    event,
    run,
    streaming,
    turns,
    word,
)
from tollhouse.billing.budgets import Budget, Level
from tollhouse.core.failure import InsufficientQuota
from tollhouse.core.operation import Operation
from tollhouse.core.usage import Usage
from tollhouse.formats.openai.response_answers import response, response_events
from tollhouse.gateway.connection import ClientDisconnected

CHARGE = 60 * 2500 + 12 * 10_000
CAP = 12
WORST = len(asking(max_tokens=CAP)) * 2500 + CAP * 10_000
SAID_HI = 5 * 2500  # the prompt of `asking`, counted


def charged(harness: GatewayHarness) -> int:
    charge = harness.record.charge
    assert charge is not None
    assert harness.counter.held == 0
    assert harness.counter.spent == charge.amount
    return charge.amount


def asked(harness: GatewayHarness, operation: Operation = "chat", **members: Any) -> int:
    run(harness.ask(FakeCallerConnection(asking(**members)), operation))
    return charged(harness)


def test_new_api_4168_an_aborted_stream_is_billed_for_what_was_delivered_and_not_for_an_estimate() -> None:
    """Neither the cap nor the hold: the two words that went out."""
    client = FakeCallerConnection(asking(stream=True, max_tokens=900))
    later = [word("never "), FINISH, USAGE, DONE]
    harness = GatewayHarness(
        first=FakeUpstream(streaming(ROLE, word("one "), word("two "), client.leave, *later)), money=10**9
    )
    with pytest.raises(ClientDisconnected):
        run(harness.ask(client))
    assert charged(harness) == SAID_HI + 2 * 10_000


@pytest.mark.parametrize("stream", [False, True])
def test_new_api_7062_who_leaves_gets_no_refund_of_what_the_provider_bills(stream: bool) -> None:
    client = FakeCallerConnection(asking(stream=stream))
    play = streaming(client.leave, *STORY) if stream else buffered(client.leave, answer())
    harness = GatewayHarness(first=FakeUpstream(play), provider={"on_disconnect": "drain"}, money=10**9)
    run(harness.ask(client))
    assert charged(harness) == CHARGE
    assert harness.record.usage_source == "drained"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider_streams", [False, True])
def test_new_api_7241_an_incomplete_response_is_billed(stream: bool, provider_streams: bool) -> None:
    usage = Usage(input=60, output=12)
    events = list(response_events("resp_1", 1, "up", ["Zoll ", "haus"], usage=usage, finish="length"))
    whole = response("resp_1", 1, "up", "Zoll haus", usage=usage, finish="length")
    harness = GatewayHarness(
        first=FakeUpstream(streaming(*events) if provider_streams else buffered(whole)), money=10**9
    )
    client = FakeCallerConnection(json.dumps({"model": "house-1", "input": "hi", "stream": stream}).encode())
    run(harness.ask(client, "responses"))
    assert charged(harness) == CHARGE
    assert (harness.record.ending, harness.record.usage_source) == ("incomplete", "upstream")
    if stream:
        assert b"event: response.incomplete\n" in client.data


def test_new_api_5003_cached_tokens_are_charged_once_and_at_their_own_price() -> None:
    usage = {"prompt_tokens": 60, "completion_tokens": 12, "prompt_tokens_details": {"cached_tokens": 50}}
    expected = 10 * 2500 + 50 * 1250 + 12 * 10_000
    assert asked(GatewayHarness(first=FakeUpstream(buffered(answer(usage=usage))), money=10**9)) == expected
    story = (*STORY[:4], event(choices=[], usage=usage), DONE)
    assert asked(GatewayHarness(first=FakeUpstream(streaming(*story)), money=10**9), stream=True) == expected


def test_new_api_4291_more_cached_than_read_earns_nobody_money() -> None:
    """A report in which the cache stands beside the prompt would make the rest of the prompt negative."""
    usage = {"prompt_tokens": 4, "completion_tokens": 12, "prompt_tokens_details": {"cached_tokens": 900}}
    harness = GatewayHarness(first=FakeUpstream(buffered(answer(usage=usage))), money=10**9)
    assert asked(harness) == SAID_HI + 2 * 10_000
    assert harness.record.usage_source == "counted"
    assert json.loads(harness.record.raw_usage or b"") == usage, "the receipt keeps what was reported"


@pytest.mark.parametrize("level", ["account", "project", "key"])
def test_litellm_40095_eight_parallel_calls_do_not_pass_a_budget(level: Level) -> None:
    """Each costs its worst case; the budget pays for three."""
    harness = GatewayHarness()
    whose = {"account": "acc_1", "project": "proj_1", "key": "key_live"}[level]
    budget = Budget(
        id="bud_1", account_id="acc_1", level=level, object_id=whose, amount=3 * WORST, kind="day", created_at_ms=NOW_MS
    )
    counter = harness.counters.put_budget(budget, NOW_MS)
    gate, refused = asyncio.Event(), 0
    usage = {"prompt_tokens": len(asking(max_tokens=CAP)), "completion_tokens": CAP}
    harness.first.plays = [
        ScriptedResponse(headers=NOTHING_STREAMS, before_head=(gate,), pieces=(answer(usage=usage),))
    ]

    async def one() -> None:
        nonlocal refused
        try:
            await harness.ask(FakeCallerConnection(asking(max_tokens=CAP)))
        except InsufficientQuota:
            refused += 1

    async def main() -> None:
        calls = [asyncio.create_task(one()) for _ in range(8)]
        while refused < 5:
            assert counter.spent - counter.overrun + counter.held <= 3 * WORST
            await turns(1)
        gate.set()
        await asyncio.gather(*calls)
        with pytest.raises(InsufficientQuota):
            await harness.ask(FakeCallerConnection(asking(max_tokens=CAP)))

    run(main())
    assert (refused, counter.spent, counter.held) == (5, 3 * WORST, 0)
    assert len(harness.first.calls) == 3


@pytest.mark.parametrize("operation", ["embeddings", "completions"])
def test_many_texts_at_once_may_each_be_as_long_as_the_context(operation: Operation) -> None:
    """A report of more than the context is a mistake only where there was one text to read."""
    usage = {"prompt_tokens": 2_900, "total_tokens": 2_900}
    embedded = {"object": "list", "data": [{"embedding": [0.5]}] * 3, "usage": usage}
    written = {**usage, "completion_tokens": 3, "total_tokens": 2_903}
    completed = {"object": "text_completion", "choices": [{"text": "x", "finish_reason": "stop"}], "usage": written}
    body = json.dumps(embedded if operation == "embeddings" else completed).encode()
    named = "input" if operation == "embeddings" else "prompt"
    for texts, source in (["a", "b", "c"], "upstream"), (["a", "b"], "counted"), ("a", "counted"):
        harness = GatewayHarness(first=FakeUpstream(buffered(body)), money=10**9)
        request = json.dumps({"model": "house-1", named: texts}).encode()
        run(harness.ask(FakeCallerConnection(request), operation))
        assert harness.record.usage_source == source, texts


def test_several_answers_may_together_be_longer_than_the_context() -> None:
    usage = {"prompt_tokens": 60, "completion_tokens": 2_400, "total_tokens": 2_460}
    for n, source in (3, "upstream"), (2, "counted"):
        harness = GatewayHarness(first=FakeUpstream(buffered(answer(usage=usage))), money=10**9)
        asked(harness, n=n)
        assert harness.record.usage_source == source


def test_without_a_configured_context_no_report_is_larger_than_any_model_reads() -> None:
    usage = {"prompt_tokens": 2**31, "completion_tokens": 1, "total_tokens": 2**31 + 1}
    harness = GatewayHarness(first=FakeUpstream(buffered(answer(usage=usage))), model={"context_tokens": None})
    assert asked(harness) == SAID_HI + 2 * 10_000


def test_embeddings_reported_as_nothing_are_counted() -> None:
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    body = json.dumps({"object": "list", "data": [{"embedding": [0.5]}], "usage": usage}).encode()
    harness = GatewayHarness(first=FakeUpstream(buffered(body)), money=10**9)
    run(harness.ask(FakeCallerConnection(b'{"model":"house-1","input":"three small words"}'), "embeddings"))
    assert charged(harness) == 3 * 2500


def test_an_empty_answer_that_is_reported_as_nothing_costs_nothing() -> None:
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    harness = GatewayHarness(first=FakeUpstream(buffered(answer(text="", usage=usage))), money=10**9)
    assert asked(harness) == 0
    assert harness.record.usage_source == "upstream"

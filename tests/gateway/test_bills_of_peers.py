"""What went wrong with the bills of other platforms, each as a test of this one, named after the report."""

import asyncio
import json
from typing import Any

import pytest

from tests.gateway.fakes import NOW_MS, FakeClient, FakeUpstream, Play
from tests.gateway.stage import (
    DONE,
    FINISH,
    NOTHING_STREAMS,
    ROLE,
    STORY,
    USAGE,
    Stage,
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
from tollhouse.gateway.client import ClientLeft
from tollhouse.protocols.openai.response_answers import response, response_events

CHARGE = 60 * 2500 + 12 * 10_000
CAP = 12
WORST = len(asking(max_tokens=CAP)) * 2500 + CAP * 10_000
SAID_HI = 5 * 2500  # the prompt of `asking`, counted


def charged(stage: Stage) -> int:
    charge = stage.record.charge
    assert charge is not None
    assert stage.purse.held == 0
    assert stage.purse.spent == charge.amount
    return charge.amount


def asked(stage: Stage, operation: Operation = "chat", **members: Any) -> int:
    run(stage.ask(FakeClient(asking(**members)), operation))
    return charged(stage)


def test_new_api_4168_an_aborted_stream_is_billed_for_what_was_delivered_and_not_for_an_estimate() -> None:
    """Neither the cap nor the hold: the two words that went out."""
    client = FakeClient(asking(stream=True, max_tokens=900))
    later = [word("never "), FINISH, USAGE, DONE]
    stage = Stage(first=FakeUpstream(streaming(ROLE, word("one "), word("two "), client.leave, *later)), money=10**9)
    with pytest.raises(ClientLeft):
        run(stage.ask(client))
    assert charged(stage) == SAID_HI + 2 * 10_000


@pytest.mark.parametrize("stream", [False, True])
def test_new_api_7062_who_leaves_gets_no_refund_of_what_the_provider_bills(stream: bool) -> None:
    client = FakeClient(asking(stream=stream))
    play = streaming(client.leave, *STORY) if stream else buffered(client.leave, answer())
    stage = Stage(first=FakeUpstream(play), provider={"on_disconnect": "drain"}, money=10**9)
    run(stage.ask(client))
    assert charged(stage) == CHARGE
    assert stage.record.usage_source == "drained"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider_streams", [False, True])
def test_new_api_7241_an_incomplete_response_is_billed(stream: bool, provider_streams: bool) -> None:
    usage = Usage(input=60, output=12)
    events = list(response_events("resp_1", 1, "up", ["Zoll ", "haus"], usage=usage, finish="length"))
    whole = response("resp_1", 1, "up", "Zoll haus", usage=usage, finish="length")
    stage = Stage(first=FakeUpstream(streaming(*events) if provider_streams else buffered(whole)), money=10**9)
    client = FakeClient(json.dumps({"model": "house-1", "input": "hi", "stream": stream}).encode())
    run(stage.ask(client, "responses"))
    assert charged(stage) == CHARGE
    assert (stage.record.ending, stage.record.usage_source) == ("incomplete", "upstream")
    if stream:
        assert b"event: response.incomplete\n" in client.data


def test_new_api_5003_cached_tokens_are_charged_once_and_at_their_own_price() -> None:
    usage = {"prompt_tokens": 60, "completion_tokens": 12, "prompt_tokens_details": {"cached_tokens": 50}}
    expected = 10 * 2500 + 50 * 1250 + 12 * 10_000
    assert asked(Stage(first=FakeUpstream(buffered(answer(usage=usage))), money=10**9)) == expected
    story = (*STORY[:4], event(choices=[], usage=usage), DONE)
    assert asked(Stage(first=FakeUpstream(streaming(*story)), money=10**9), stream=True) == expected


def test_new_api_4291_more_cached_than_read_earns_nobody_money() -> None:
    """A report in which the cache stands beside the prompt would make the rest of the prompt negative."""
    usage = {"prompt_tokens": 4, "completion_tokens": 12, "prompt_tokens_details": {"cached_tokens": 900}}
    stage = Stage(first=FakeUpstream(buffered(answer(usage=usage))), money=10**9)
    assert asked(stage) == SAID_HI + 2 * 10_000
    assert stage.record.usage_source == "counted"
    assert json.loads(stage.record.raw_usage or b"") == usage, "the receipt keeps what was reported"


@pytest.mark.parametrize("level", ["account", "project", "key"])
def test_litellm_40095_eight_parallel_calls_do_not_pass_a_budget(level: Level) -> None:
    """Each costs its worst case; the budget pays for three."""
    stage = Stage()
    whose = {"account": "acc_1", "project": "proj_1", "key": "key_live"}[level]
    budget = Budget(
        id="bud_1", account_id="acc_1", level=level, object_id=whose, amount=3 * WORST, kind="day", created_at_ms=NOW_MS
    )
    purse = stage.house.purses.put_budget(budget, NOW_MS)
    gate, refused = asyncio.Event(), 0
    usage = {"prompt_tokens": len(asking(max_tokens=CAP)), "completion_tokens": CAP}
    stage.first.plays = [Play(headers=NOTHING_STREAMS, before_head=(gate,), pieces=(answer(usage=usage),))]

    async def one() -> None:
        nonlocal refused
        try:
            await stage.ask(FakeClient(asking(max_tokens=CAP)))
        except InsufficientQuota:
            refused += 1

    async def main() -> None:
        calls = [asyncio.create_task(one()) for _ in range(8)]
        while refused < 5:
            assert purse.spent - purse.overrun + purse.held <= 3 * WORST
            await turns(1)
        gate.set()
        await asyncio.gather(*calls)
        with pytest.raises(InsufficientQuota):
            await stage.ask(FakeClient(asking(max_tokens=CAP)))

    run(main())
    assert (refused, purse.spent, purse.held) == (5, 3 * WORST, 0)
    assert len(stage.first.calls) == 3


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
        stage = Stage(first=FakeUpstream(buffered(body)), money=10**9)
        request = json.dumps({"model": "house-1", named: texts}).encode()
        run(stage.ask(FakeClient(request), operation))
        assert stage.record.usage_source == source, texts


def test_several_answers_may_together_be_longer_than_the_context() -> None:
    usage = {"prompt_tokens": 60, "completion_tokens": 2_400, "total_tokens": 2_460}
    for n, source in (3, "upstream"), (2, "counted"):
        stage = Stage(first=FakeUpstream(buffered(answer(usage=usage))), money=10**9)
        asked(stage, n=n)
        assert stage.record.usage_source == source


def test_without_a_configured_context_no_report_is_larger_than_any_model_reads() -> None:
    usage = {"prompt_tokens": 2**31, "completion_tokens": 1, "total_tokens": 2**31 + 1}
    stage = Stage(first=FakeUpstream(buffered(answer(usage=usage))), model={"context_tokens": None})
    assert asked(stage) == SAID_HI + 2 * 10_000


def test_embeddings_reported_as_nothing_are_counted() -> None:
    usage = {"prompt_tokens": 0, "total_tokens": 0}
    body = json.dumps({"object": "list", "data": [{"embedding": [0.5]}], "usage": usage}).encode()
    stage = Stage(first=FakeUpstream(buffered(body)), money=10**9)
    run(stage.ask(FakeClient(b'{"model":"house-1","input":"three small words"}'), "embeddings"))
    assert charged(stage) == 3 * 2500


def test_u10_an_empty_answer_that_is_reported_as_nothing_costs_nothing() -> None:
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    stage = Stage(first=FakeUpstream(buffered(answer(text="", usage=usage))), money=10**9)
    assert asked(stage) == 0
    assert stage.record.usage_source == "upstream"

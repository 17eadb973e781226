"""The money of a call: held before it goes out, charged with its record, and never anything in between."""

import asyncio

import msgspec
import pytest

from tests.gateway.fakes import NOW_MS, FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import (
    DONE,
    FINISH,
    NOTHING_STREAMS,
    ROLE,
    STORY,
    TEST,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    buffered,
    event,
    run,
    streaming,
    until,
    word,
)
from tollhouse.billing.budgets import Budget, Level
from tollhouse.billing.price_list import PriceLists
from tollhouse.core.failure import BadRequest, InsufficientQuota, MaxCostExceeded, ModelNotPriced, Overloaded

CHARGE = 60 * 2500 + 12 * 10000  # what the harness's usual answer costs at house-1's price
CAP = 12
WORST = len(asking(max_tokens=CAP)) * 2500 + CAP * 10000


def test_a_call_is_held_for_its_worst_case_and_charged_for_its_usage() -> None:
    harness = GatewayHarness(money=10**9)
    client = FakeCallerConnection(asking(max_tokens=CAP))
    run(harness.ask(client))
    charge = harness.record.charge
    assert charge is not None
    assert (charge.amount, charge.held, charge.overrun, charge.price_id) == (CHARGE, WORST, 0, "price_1")
    assert (harness.counter.spent, harness.counter.held) == (CHARGE, 0)
    assert (b"x-tollhouse-charge-usd", b"0.00027") in client.headers


def test_new_api_5690_many_at_once_spend_exactly_what_there_is() -> None:
    """200 calls on money for exactly 7, all held open until the last is refused."""
    harness = GatewayHarness(money=7 * WORST)
    gate = asyncio.Event()
    refused = 0

    async def one() -> None:
        nonlocal refused
        try:
            await harness.ask(FakeCallerConnection(asking(max_tokens=CAP)))
        except InsufficientQuota:
            refused += 1
            if refused == 193:
                gate.set()

    async def main() -> None:
        harness.first.plays = [ScriptedResponse(headers=NOTHING_STREAMS, before_head=(gate,), pieces=(answer(),))]
        calls = [asyncio.create_task(one()) for _ in range(200)]
        while not gate.is_set():
            assert harness.counter.spent - harness.counter.overrun + harness.counter.held <= 7 * WORST
            await asyncio.sleep(0)
        await asyncio.gather(*calls)

    run(main())
    assert refused == 193
    assert len([record for record in harness.ledger.records if record.status == 200]) == 7
    assert harness.counter.held == 0
    assert harness.counter.spent == 7 * CHARGE


def test_the_cap_a_caller_named_is_never_lowered() -> None:
    harness = GatewayHarness(money=WORST - 1)
    with pytest.raises(InsufficientQuota):
        run(harness.ask(FakeCallerConnection(asking(max_tokens=CAP))))
    assert harness.first.calls == []
    assert harness.record.ending == "refused"
    assert harness.record.charge is None
    assert harness.counter.held == 0


def test_letters_that_look_like_a_picture_are_paid_as_text() -> None:
    """100,000 tokens of letters were let in on the money for 20,000: whoever sent them left a debt behind."""
    body = asking(max_tokens=CAP, messages=[{"role": "user", "content": "Ab3x" * 50_000}])
    harness = GatewayHarness(money=2 * 10**8, model={"context_tokens": 128_000})
    with pytest.raises(InsufficientQuota):
        run(harness.ask(FakeCallerConnection(body)))
    assert harness.first.calls == []
    assert harness.counter.held == 0


def test_a_prediction_is_held_for_as_output() -> None:
    said = {"type": "content", "content": "x " * 100}
    body = asking(max_tokens=CAP, prediction=said)
    usage = {"prompt_tokens": 60, "completion_tokens": CAP + 200, "total_tokens": 72 + 200}
    harness = GatewayHarness(
        first=FakeUpstream(ScriptedResponse(headers=NOTHING_STREAMS, pieces=(answer(usage=usage),))), money=10**9
    )
    run(harness.ask(FakeCallerConnection(body)))
    charge = harness.record.charge
    assert charge is not None
    assert (charge.amount, charge.overrun) == (60 * 2500 + (CAP + 200) * 10000, 0)


def test_thoughts_beside_a_cap_of_one_token_were_held_for_as_one_token() -> None:
    """Qwen's cap does not bind its thoughts: a hundred such calls at once spent what none of them had held."""
    thoughts, body = 800, asking(max_tokens=1, enable_thinking=True)
    report = {"prompt_tokens": 60, "completion_tokens": 1 + thoughts, "total_tokens": 61 + thoughts}
    usage = {**report, "completion_tokens_details": {"reasoning_tokens": thoughts}}
    model = {"max_output_tokens": thoughts}
    harness = GatewayHarness(
        first=FakeUpstream(buffered(answer(usage=usage))), money=len(body) * 2500 + 801 * 10000, model=model
    )
    run(harness.ask(FakeCallerConnection(body)))
    charge = harness.record.charge
    assert charge is not None
    assert (charge.held, charge.overrun) == (len(body) * 2500 + 801 * 10000, 0)


def test_a_call_without_a_cap_gets_one_that_the_money_affords_and_is_told() -> None:
    harness = GatewayHarness(money=10**9, model={"max_output_tokens": 900_000, "context_tokens": 1_000_000})
    client = FakeCallerConnection(asking())
    run(harness.ask(client))
    sent = msgspec.json.decode(harness.first.calls[0].body)["max_tokens"]
    left = 10**9 - len(asking()) * 2500
    assert sent == left // 10000 // 10
    assert (b"x-tollhouse-output-cap", b"%d" % sent) in client.headers


def test_a_model_without_a_price_is_not_sold() -> None:
    """litellm 35913: unpriced models were free for weeks."""
    harness = GatewayHarness(money=10**9)
    harness.gateway.prices = lambda: PriceLists(())
    with pytest.raises(ModelNotPriced):
        run(harness.ask(FakeCallerConnection(asking(max_tokens=CAP))))
    assert harness.first.calls == []


def test_a_free_model_costs_nothing_and_needs_no_money() -> None:
    harness = GatewayHarness(money=0, model={"free": True})
    run(harness.ask(FakeCallerConnection(asking())))
    assert harness.record.charge is not None
    assert harness.record.charge.amount == 0


def test_test_mode_is_never_charged() -> None:
    harness = GatewayHarness(money=0)
    client = FakeCallerConnection(asking())
    run(harness.ask(client, key=TEST))
    assert harness.record.charge is None
    assert harness.counter.spent == 0


def test_a_call_may_say_what_it_may_cost_at_most() -> None:
    harness = GatewayHarness(money=10**9)
    with pytest.raises(MaxCostExceeded):
        run(
            harness.ask(
                FakeCallerConnection(asking(max_tokens=CAP)), headers=[(b"x-tollhouse-max-cost-usd", b"0.0002")]
            )
        )
    assert harness.first.calls == []
    assert harness.counter.held == 0


def test_a_failed_call_is_free_and_its_hold_ends() -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE)), second=FakeUpstream(streaming(ROLE)), money=10**9)
    with pytest.raises(Exception, match="ended"):
        run(harness.ask(FakeCallerConnection(asking(stream=True, max_tokens=CAP))))
    assert harness.record.charge is None
    assert (harness.counter.spent, harness.counter.held) == (0, 0)


def test_new_api_4168_a_stream_that_breaks_is_charged_for_what_was_delivered() -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("Zoll "), word("haus "))), money=10**9)
    run(harness.ask(FakeCallerConnection(asking(stream=True, max_tokens=CAP))))
    record = harness.record
    assert record.usage_source == "counted"
    assert record.usage.output == 2
    assert record.charge is not None
    assert record.charge.amount == record.usage.input * 2500 + 2 * 10000
    assert (harness.counter.spent, harness.counter.held) == (record.charge.amount, 0)


def test_what_costs_more_than_was_held_is_an_overrun() -> None:
    usage = event(choices=[], usage={"prompt_tokens": 60, "completion_tokens": 900, "total_tokens": 960})
    body = asking(stream=True, max_tokens=CAP)
    worst = len(body) * 2500 + CAP * 10000
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("Zoll "), FINISH, usage, DONE)), money=worst)
    run(harness.ask(FakeCallerConnection(body)))
    charge = harness.record.charge
    assert charge is not None
    assert charge.amount == 60 * 2500 + 900 * 10000
    assert charge.overrun == charge.amount - charge.held
    assert harness.counter.spent - harness.counter.overrun + harness.counter.held <= worst


def test_a_buffered_answer_that_cannot_be_committed_is_free() -> None:
    harness = GatewayHarness(money=10**9)
    harness.ledger.failing = True
    with pytest.raises(Overloaded):
        run(harness.ask(FakeCallerConnection(asking(max_tokens=CAP))))
    assert (harness.counter.spent, harness.counter.held) == (0, 0)
    assert not harness.gateway.deferred_commits


def test_a_stream_that_cannot_be_committed_keeps_its_hold_and_is_charged_once_later() -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(*STORY)), money=10**9)
    client = FakeCallerConnection(asking(stream=True, max_tokens=CAP))

    async def main() -> None:
        harness.ledger.failing = True
        await harness.ask(client)
        assert harness.counter.held > 0
        assert b"[DONE]" not in client.data
        harness.ledger.failing = False
        await until(lambda: not harness.gateway.deferred_commits)

    run(main())
    assert [record.charge.amount for record in harness.ledger.records if record.charge] == [CHARGE]
    assert (harness.counter.spent, harness.counter.held) == (CHARGE, 0)


def test_the_usage_chunk_says_what_was_charged() -> None:
    harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("Zoll "), FINISH, USAGE, DONE)), money=10**9)
    client = FakeCallerConnection(asking(stream=True, max_tokens=CAP, stream_options={"include_usage": True}))
    run(harness.ask(client))
    assert b'"tollhouse":{"charge_usd":"0.00027","request_id":"req_1"}' in client.data


@pytest.mark.parametrize("level", ["account", "project", "key"])
def test_a_budget_of_nothing_lets_nothing_in_and_a_free_model_got_in(level: Level) -> None:
    harness = GatewayHarness(money=0, model={"free": True, "price": {}})
    whose = {"account": "acc_1", "project": "proj_1", "key": "key_live"}[level]
    budget = Budget(
        id="bud_1", account_id="acc_1", level=level, object_id=whose, amount=0, kind="day", created_at_ms=NOW_MS
    )
    harness.counters.put_budget(budget, NOW_MS)
    with pytest.raises(InsufficientQuota, match="day budget of 0 USD"):
        run(harness.ask(FakeCallerConnection(asking())))
    assert not harness.first.calls
    harness.counters.remove_budget("bud_1")
    run(harness.ask(FakeCallerConnection(asking())))


def test_a_maximum_that_an_empty_variable_left_empty_was_no_maximum() -> None:
    harness = GatewayHarness(money=10**12)
    with pytest.raises(BadRequest, match="x-tollhouse-max-cost-usd"):
        run(harness.ask(FakeCallerConnection(asking()), headers=[(b"x-tollhouse-max-cost-usd", b"")]))
    assert not harness.first.calls


@pytest.mark.parametrize("said", [(b"0.001", b"100"), (b"100", b"0.001")])
def test_of_two_maxima_the_first_won_and_not_the_least(said: tuple[bytes, bytes]) -> None:
    harness = GatewayHarness(money=10**12)
    with pytest.raises(MaxCostExceeded):
        run(harness.ask(FakeCallerConnection(asking()), headers=[(b"x-tollhouse-max-cost-usd", one) for one in said]))
    assert not harness.first.calls

"""Trying elsewhere: the next key, the next offer, the same one again, and when not."""

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import (
    DONE,
    FINISH,
    OVERLOADED,
    ROLE,
    STORY,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    buffered,
    refusing,
    run,
    streaming,
    word,
)
from tollhouse.core.catalogue import Offer
from tollhouse.core.failure import (
    BadRequest,
    Overloaded,
    UpstreamBroke,
    UpstreamError,
    UpstreamRefusedKey,
    UpstreamSaturated,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tollhouse.routing.retry import RetryBudget

KEY = b"authorization"


def bearers(upstream: FakeUpstream) -> list[bytes]:
    return [dict(call.headers)[KEY].removeprefix(b"Bearer ") for call in upstream.calls]


@pytest.mark.parametrize(
    "play",
    [
        ScriptedResponse(failure=UpstreamUnreachable("x")),
        ScriptedResponse(failure=UpstreamBroke("x")),
        ScriptedResponse(failure=UpstreamTimeout("x")),
        refusing(500),
        refusing(404),
        refusing(429, {"message": "slow down"}),
        refusing(401, {"message": "who?"}),
        buffered(b"<html>"),
        streaming(ROLE, OVERLOADED),
        streaming(ROLE),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_the_second_offer_answers_where_the_first_fails(play: ScriptedResponse, stream: bool) -> None:
    async def main() -> None:
        good = streaming(*STORY) if stream else buffered()
        harness, client = (
            GatewayHarness(first=FakeUpstream(play), second=FakeUpstream(good)),
            FakeCallerConnection(asking(stream=stream)),
        )
        await harness.ask(client)
        assert client.status == 200
        assert client.ended
        record = harness.record
        assert (record.ending, record.status, record.error, record.provider) == ("finished", 200, None, "two")
        assert [one.provider for one in record.attempts] == ["one", "two"]
        assert record.attempts[0].error
        assert record.attempts[1].error is None
        assert harness.answers_settled
        assert b'"model":"up-two"' in harness.second.calls[0].body

    run(main())


def test_what_the_request_itself_is_to_blame_for_is_not_tried_again() -> None:
    async def main() -> None:
        for play in (
            refusing(400, {"message": "bad", "param": "n"}),
            buffered(b'{"error":{"code":"context_length_exceeded","message":"too long"}}'),
        ):
            harness = GatewayHarness(first=FakeUpstream(play))
            with pytest.raises(BadRequest):
                await harness.ask(FakeCallerConnection(asking()))
            assert not harness.second.calls

    run(main())


def test_the_last_failure_is_told() -> None:
    async def main() -> None:
        harness = GatewayHarness(
            first=FakeUpstream(refusing(500)), second=FakeUpstream(refusing(429, {"message": "x"}))
        )
        with pytest.raises(UpstreamSaturated):
            await harness.ask(FakeCallerConnection(asking()))
        assert [one.status for one in harness.record.attempts] == [500, 429]

    run(main())


@pytest.mark.parametrize("status", [401, 429])
def test_another_key_of_the_same_provider_comes_next_and_the_bad_one_rests(status: int) -> None:
    async def main() -> None:
        refused = refusing(status, {"message": "not with this key"}, retry_after="7")
        harness = GatewayHarness(first=FakeUpstream(refused, buffered()), keys_of_first=("sk-a", "sk-b"))
        await harness.ask(FakeCallerConnection(asking()))
        tried = bearers(harness.first)
        assert sorted(tried) == [b"sk-a", b"sk-b"]
        assert not harness.second.calls
        await harness.ask(FakeCallerConnection(asking()))
        await harness.ask(FakeCallerConnection(asking()))
        assert bearers(harness.first)[2:] == [tried[1]] * 2
        harness.clock.ms += 300_000
        await harness.ask(FakeCallerConnection(asking()))
        assert bearers(harness.first)[-1] == tried[0], "it is asked again when its rest is over"

    run(main())


def test_an_offers_own_fault_is_not_tried_with_its_other_key() -> None:
    async def main() -> None:
        harness = GatewayHarness(first=FakeUpstream(refusing(500)), keys_of_first=("sk-a", "sk-b"))
        await harness.ask(FakeCallerConnection(asking()))
        assert len(harness.first.calls) == 1
        assert len(harness.second.calls) == 1

    run(main())


def test_only_what_was_never_sent_is_sent_again_to_the_same_place() -> None:
    async def main() -> None:
        only = (Offer(provider="one", model="up-one"),)
        harness = GatewayHarness(
            first=FakeUpstream(ScriptedResponse(failure=UpstreamUnreachable("x")), buffered()), model={"offers": only}
        )
        client = FakeCallerConnection(asking())
        await harness.ask(client)
        assert client.data == answer()
        assert harness.slept == [0.025], "after a moment"
        broken = GatewayHarness(
            first=FakeUpstream(ScriptedResponse(failure=UpstreamBroke("x")), buffered()), model={"offers": only}
        )
        with pytest.raises(UpstreamBroke):
            await broken.ask(FakeCallerConnection(asking()))
        assert len(broken.first.calls) == 1

    run(main())


def test_four_attempts_are_enough() -> None:
    async def main() -> None:
        offers = tuple(Offer(provider="one", model=f"up-{number}", priority=number) for number in range(9))
        harness = GatewayHarness(first=FakeUpstream(refusing(500)), model={"offers": offers})
        with pytest.raises(UpstreamError):
            await harness.ask(FakeCallerConnection(asking()))
        assert len(harness.record.attempts) == 4

    run(main())


def test_the_retry_budget_of_the_process_is_kept() -> None:
    async def main() -> None:
        down = FakeUpstream(refusing(500))
        budget = RetryBudget(ratio=0.1, floor_per_second=0, reserve=2)
        offers = tuple(Offer(provider="one", model=f"up-{number}", priority=number) for number in range(60))
        harness = GatewayHarness(first=down, retries=budget, model={"offers": offers})
        for _ in range(40):
            with pytest.raises(UpstreamError):
                await harness.ask(FakeCallerConnection(asking()))
        assert len(down.calls) == 40 + 2 + 3, "what was in reserve, and a tenth of what the calls earned"

    run(main())


def test_an_offer_that_keeps_failing_is_left_alone_and_probed_once() -> None:
    async def main() -> None:
        harness = GatewayHarness(first=FakeUpstream(*[refusing(500)] * 5, buffered()))
        for _ in range(7):
            await harness.ask(FakeCallerConnection(asking()))
        assert len(harness.first.calls) == 5
        harness.clock.ms += 10_000
        await harness.ask(FakeCallerConnection(asking()))
        assert len(harness.first.calls) == 6
        await harness.ask(FakeCallerConnection(asking()))
        assert len(harness.first.calls) == 7
        assert len(harness.second.calls) == 7

    run(main())


def test_everybody_resting_is_told_with_the_time_to_wait() -> None:
    async def main() -> None:
        slow = refusing(429, {"message": "x"}, retry_after="7")
        harness = GatewayHarness(first=FakeUpstream(slow), second=FakeUpstream(slow))
        for _ in range(2):  # one call closes one offer
            with pytest.raises(UpstreamSaturated):
                await harness.ask(FakeCallerConnection(asking()))
        with pytest.raises(UpstreamSaturated) as caught:
            await harness.ask(FakeCallerConnection(asking()))
        assert caught.value.retry_after_ms == 7_000
        assert (len(harness.first.calls), len(harness.second.calls)) == (1, 2)
        assert harness.ledger.records[-1].ending == "refused", "nobody was asked"

    run(main())


def test_refused_credentials_are_no_reason_to_try_again_soon() -> None:
    async def main() -> None:
        refused = refusing(401, {"message": "x"})
        harness = GatewayHarness(first=FakeUpstream(refused), second=FakeUpstream(refused))
        for _ in range(2):
            with pytest.raises(UpstreamRefusedKey) as caught:
                await harness.ask(FakeCallerConnection(asking()))
            assert caught.value.should_retry is False

    run(main())


def test_a_stream_that_breaks_later_is_held_against_its_offer() -> None:
    async def main() -> None:
        broken = streaming(ROLE, word("Zoll "), UpstreamBroke("x"))
        harness = GatewayHarness(first=FakeUpstream(broken), second=FakeUpstream(streaming(*STORY)))
        for _ in range(10):  # each beginning was good: half of the last 20 outcomes are failures
            await harness.ask(FakeCallerConnection(asking(stream=True)))
        await harness.ask(FakeCallerConnection(asking(stream=True)))
        assert harness.ledger.records[-1].provider == "two"

    run(main())


def test_a_length_error_inside_a_good_status_never_closes_an_offer_for_others() -> None:
    """Else one caller with long prompts takes a model away from everybody."""

    async def main() -> None:
        too_long = buffered(b'{"error":{"code":"context_length_exceeded","message":"too long"}}')
        harness = GatewayHarness(first=FakeUpstream(*[too_long] * 20, buffered()))
        for _ in range(20):
            with pytest.raises(BadRequest):
                await harness.ask(FakeCallerConnection(asking()))
        await harness.ask(FakeCallerConnection(asking()))
        assert harness.ledger.records[-1].provider == "one"

    run(main())


def test_calls_that_share_a_beginning_find_the_same_offer() -> None:
    async def main() -> None:
        offers = (Offer(provider="one", model="up-one"), Offer(provider="two", model="up-two"))
        harness = GatewayHarness(model={"offers": offers}, keys_of_first=("sk-a", "sk-b", "sk-c"))
        for number in range(40):
            messages = [{"role": "system", "content": f"You are gate {number}." + "x" * 1024}]
            for turn in range(3):
                asked = asking(messages=[*messages, {"role": "user", "content": f"turn {turn}"}])
                await harness.ask(FakeCallerConnection(asked))
            first, second, third = harness.ledger.records[-3:]
            assert first.provider == second.provider == third.provider
        assert {record.provider for record in harness.ledger.records} == {"one", "two"}
        together = bearers(harness.first)
        assert len(set(together)) == 3, "and the keys share the work"
        assert all(len(set(together[at : at + 3])) == 1 for at in range(0, len(together), 3))

    run(main())


def test_an_offer_on_a_provider_that_only_streams_serves_both_forms() -> None:
    async def main() -> None:
        for stream in (False, True):
            harness = GatewayHarness(first=FakeUpstream(streaming(*STORY)), provider={"streams_only": True})
            client = FakeCallerConnection(
                asking(stream=stream, stream_options={"include_usage": True} if stream else None)
            )
            await harness.ask(client)
            assert b'"stream":true' in harness.first.calls[0].body
            if stream:
                assert client.data.endswith(FINISH + client.parts[-1])
                assert b'"usage":{"prompt_tokens":60' in client.parts[-1]
                assert client.parts[-1].endswith(DONE)
            else:
                assert b'"content":"Zoll haus "' in client.data
                assert client.header(b"content-type") == b"application/json"
            assert harness.record.usage.output == 12
            assert harness.answers_settled

    run(main())


def test_the_usage_is_asked_for_only_where_the_provider_can_and_the_answer_streams() -> None:
    async def main() -> None:
        for stream, reports, forced in ((True, True, True), (True, False, False), (False, True, False)):
            good = streaming(ROLE, word("x"), FINISH, USAGE, DONE) if stream else buffered()
            harness = GatewayHarness(first=FakeUpstream(good), provider={"reports_stream_usage": reports})
            await harness.ask(FakeCallerConnection(asking(stream=stream)))
            assert (b'"include_usage":true' in harness.first.calls[0].body) == forced

    run(main())


def test_an_error_page_that_never_ends_is_judged_by_its_status() -> None:
    async def main() -> None:
        silent = ScriptedResponse(
            status=429, headers=[(b"retry-after", b"7")], pieces=(b"{", UpstreamTimeout("silent"))
        )
        endless = ScriptedResponse(status=429, headers=[(b"retry-after", b"7")], pieces=[b"x" * 65_536] * 9)
        for play in (silent, endless):
            harness = GatewayHarness(first=FakeUpstream(play))
            await harness.ask(FakeCallerConnection(asking()))
            offer = Offer(provider="one", model="up-one")
            closed = harness.health.closed_until("acc_1", offer, 0, harness.clock.ms)
            assert closed == (harness.clock.ms + 7_000, "saturated")
            assert harness.answers_settled

    run(main())


def test_an_answer_too_large_to_hold_is_refused() -> None:
    async def main() -> None:
        for body in (asking(), asking(stream=True)):
            harness = GatewayHarness(
                first=FakeUpstream(buffered(*[b"x" * 1_000_000] * 9)), second=FakeUpstream(refusing(500))
            )
            harness.gateway.answer_bytes_max = 5_000_000
            with pytest.raises(UpstreamError):
                await harness.ask(FakeCallerConnection(body))
            assert harness.first.answers[0].aborted

    run(main())


def test_overload_is_told_as_overload() -> None:
    async def main() -> None:
        busy = refusing(503, {"message": "busy"}, retry_after="3")
        harness = GatewayHarness(first=FakeUpstream(busy), second=FakeUpstream(busy))
        with pytest.raises(Overloaded) as caught:
            await harness.ask(FakeCallerConnection(asking()))
        assert caught.value.retry_after_ms == 3_000

    run(main())

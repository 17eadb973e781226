"""The caller leaves: at every moment, in every form of call, what happens upstream and what is written down."""

import asyncio

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import (
    DONE,
    FINISH,
    NOTHING_STREAMS,
    ROLE,
    STREAMS,
    USAGE,
    GatewayHarness,
    answer,
    asking,
    run,
    streaming,
    turns,
    until,
    word,
)
from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Ending
from tollhouse.gateway.bodies import BodyReservation
from tollhouse.gateway.connection import ClientDisconnected

REPORTED = Usage(input=60, output=12, requests=1)
SAID_HI = 5  # tokens of the prompt, as `Words` counts the messages of `asking`


async def left(harness: GatewayHarness, client: FakeCallerConnection, ending: Ending) -> None:
    """The call ends without an answer, and its record says how."""
    with pytest.raises(ClientDisconnected):
        await harness.ask(client)
    assert (harness.record.ending, harness.record.status) == (ending, 499)
    assert harness.answers_settled
    assert harness.limits.inside == 0


def test_before_dispatch_it_is_free() -> None:
    async def main() -> None:
        harness, client = GatewayHarness(), FakeCallerConnection()
        client.leaves_before_body = True
        await left(harness, client, "client_left_before_dispatch")
        assert not harness.first.calls
        assert (harness.record.usage, harness.record.usage_source) == (Usage(), "none")

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_who_leaves_with_the_last_of_his_body_is_sent_nowhere_and_pays_nothing(stream: bool) -> None:
    """A stream was charged for a prompt that nobody had read; a buffered call was sent for nobody."""

    class ImpatientUpload(FakeCallerConnection):
        async def body(self, place: BodyReservation | None = None) -> list[bytes]:
            self.leave()
            return await super().body(place)

    async def main() -> None:
        harness = GatewayHarness(money=10**9)
        await left(harness, ImpatientUpload(asking(stream=stream)), "client_left_before_dispatch")
        assert not harness.first.calls
        assert (harness.record.usage_source, harness.record.charge, harness.record.attempts) == ("none", None, ())
        assert (harness.counter.spent, harness.counter.held) == (0, 0)

    run(main())


@pytest.mark.parametrize("when", ["before the head", "before the first event", "before the first word"])
def test_a_stream_without_a_word_is_given_up_at_once_and_the_prompt_is_counted(when: str) -> None:
    async def main() -> None:
        client, never = FakeCallerConnection(asking(stream=True)), asyncio.Event()
        first = ScriptedResponse(headers=STREAMS, pieces=(client.leave, never))
        if when == "before the head":
            first = ScriptedResponse(headers=STREAMS, before_head=(client.leave, never))
        elif when == "before the first word":
            first = streaming(ROLE, client.leave, never)
        harness = GatewayHarness(first=FakeUpstream(first))
        await left(harness, client, "client_left_before_first_byte")
        assert not client.heads
        assert (harness.record.usage, harness.record.usage_source) == (Usage(input=SAID_HI, requests=1), "counted")
        assert harness.record.attempts[0].error == "client_left"
        assert all(one.aborted for one in harness.first.answers)
        assert not harness.second.calls
        assert not harness.health.snapshot(harness.clock.ms), "nobody's fault"

    run(main())


def test_a_stream_under_way_is_given_up_within_one_event() -> None:
    async def main() -> None:
        client = FakeCallerConnection(asking(stream=True))
        later = [word("never "), FINISH, USAGE, DONE]
        harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("one "), word("two "), client.leave, *later)))
        await left(harness, client, "client_left_after_first_byte")
        (given_up,) = harness.first.answers
        assert given_up.aborted
        assert not given_up.ended
        assert (harness.record.usage, harness.record.usage_source) == (
            Usage(input=SAID_HI, output=2, requests=1),
            "counted",
        )

    run(main())


def test_a_reader_who_stops_and_leaves_does_not_hold_the_stream() -> None:
    async def main() -> None:
        client = FakeCallerConnection(asking(stream=True))
        client.slow = asyncio.Event()
        harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("one "), word("two "), FINISH, DONE)))
        asked = asyncio.create_task(harness.ask(client))
        await until(lambda: bool(client.data))
        await turns()
        assert not asked.done(), "back-pressure"
        client.leave()
        with pytest.raises(ClientDisconnected):
            await asked
        assert harness.record.ending == "client_left_after_first_byte"
        assert harness.first.answers[0].aborted

    run(main())


def test_after_the_finish_reason_a_moment_is_left_for_the_usage() -> None:
    async def main() -> None:
        client = FakeCallerConnection(asking(stream=True))
        harness = GatewayHarness(first=FakeUpstream(streaming(ROLE, word("one "), FINISH, client.leave, USAGE, DONE)))
        await harness.ask(client)
        assert (harness.record.ending, harness.record.status) == ("client_left_after_first_byte", 499)
        assert (harness.record.usage, harness.record.usage_source) == (REPORTED, "drained")
        assert harness.answers_settled

    run(main())


def test_a_provider_to_be_drained_is_read_to_its_end() -> None:
    async def main() -> None:
        client = FakeCallerConnection(asking(stream=True))
        rest = [word("two "), FINISH, USAGE, DONE]
        upstream = FakeUpstream(streaming(ROLE, word("one "), client.leave, *rest))
        harness = GatewayHarness(first=upstream, provider={"on_disconnect": "drain"})
        await harness.ask(client)
        assert (harness.record.ending, harness.record.usage_source) == ("client_left_after_first_byte", "drained")
        assert harness.record.usage == REPORTED
        assert client.data == ROLE + word("one "), "nothing is written to nobody"

    run(main())


def test_a_drained_stream_whose_caller_left_before_a_word() -> None:
    async def main() -> None:
        client = FakeCallerConnection(asking(stream=True))
        upstream = FakeUpstream(streaming(client.leave, ROLE, word("one "), FINISH, USAGE, DONE))
        harness = GatewayHarness(first=upstream, provider={"on_disconnect": "drain"})
        await harness.ask(client)
        assert (harness.record.ending, harness.record.usage_source) == ("client_left_before_first_byte", "drained")
        assert harness.record.first_byte_ms is None

    run(main())


@pytest.mark.parametrize("headers", [NOTHING_STREAMS, STREAMS], ids=["in one piece", "as a stream"])
def test_a_buffered_call_is_read_to_its_usage(headers: list[tuple[bytes, bytes]]) -> None:
    async def main() -> None:
        client = FakeCallerConnection(asking())
        whole = (answer(),) if headers is NOTHING_STREAMS else (ROLE, word("one "), FINISH, USAGE, DONE)
        harness = GatewayHarness(first=FakeUpstream(ScriptedResponse(headers=headers, pieces=(client.leave, *whole))))
        await harness.ask(client)
        assert (harness.record.ending, harness.record.status) == ("client_left_before_first_byte", 499)
        assert (harness.record.usage, harness.record.usage_source) == (REPORTED, "drained")
        assert not client.heads
        assert harness.answers_settled

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_draining_ends(stream: bool) -> None:
    """The bound is 0 s here: one turn of the loop."""

    async def main() -> None:
        client, never = FakeCallerConnection(asking(stream=stream)), asyncio.Event()
        begun = (ROLE, word("one ")) if stream else (b'{"id":',)
        play = ScriptedResponse(headers=STREAMS if stream else NOTHING_STREAMS, pieces=(*begun, client.leave, never))
        harness = GatewayHarness(first=FakeUpstream(play), provider={"on_disconnect": "drain"}, drain_seconds_max=0)
        await left(harness, client, "client_left_after_first_byte" if stream else "client_left_before_first_byte")
        assert harness.record.usage == Usage(input=SAID_HI, output=1 if stream else 0, requests=1)
        assert harness.record.usage_source == "counted"
        assert harness.first.answers[0].aborted

    run(main())


def test_draining_that_began_before_the_first_word_is_bounded_after_it_too() -> None:
    async def main() -> None:
        client, never = FakeCallerConnection(asking(stream=True)), asyncio.Event()
        upstream = FakeUpstream(streaming(client.leave, ROLE, word("one "), never))
        harness = GatewayHarness(first=upstream, provider={"on_disconnect": "drain"}, drain_seconds_max=0)
        await left(harness, client, "client_left_before_first_byte")

    run(main())


def test_a_call_that_failed_is_not_tried_elsewhere_for_nobody() -> None:
    async def main() -> None:
        client = FakeCallerConnection(asking())
        harness = GatewayHarness(
            first=FakeUpstream(ScriptedResponse(failure=UpstreamBroke("x"), before_head=(client.leave,)))
        )
        with pytest.raises(UpstreamBroke):
            await harness.ask(client)
        assert not harness.second.calls
        assert harness.record.ending == "failed_before_first_byte"

    run(main())


def test_leaving_while_the_record_is_written_changes_nothing() -> None:
    async def main() -> None:
        for stream in (False, True):
            play = streaming(ROLE, word("one "), FINISH, USAGE, DONE)
            harness = GatewayHarness(
                first=FakeUpstream(play if stream else ScriptedResponse(headers=NOTHING_STREAMS, pieces=(answer(),)))
            )
            client = FakeCallerConnection(asking(stream=stream))
            harness.ledger.busy = asyncio.Event()
            asked = asyncio.create_task(harness.ask(client))
            await until(lambda: bool(harness.first.answers))  # noqa: B023 - awaited here
            await turns(20)
            client.leave()
            harness.ledger.busy.set()
            await asked
            assert (harness.record.ending, harness.record.usage_source) == ("finished", "upstream")
            assert harness.answers_settled

    run(main())

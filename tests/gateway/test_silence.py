"""A silent provider: a sign of life every 15 s, once it has accepted the call, and what that changes about failing."""

import asyncio
from typing import cast

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, ScriptedResponse
from tests.gateway.harness import (
    DONE,
    FINISH,
    OVERLOADED,
    ROLE,
    STREAMS,
    USAGE,
    GatewayHarness,
    asking,
    run,
    streaming,
    turns,
    word,
)
from tollhouse.core.codec import StreamCodec
from tollhouse.core.failure import UpstreamBroke, UpstreamTimeout
from tollhouse.core.sse import FILLER
from tollhouse.core.usage import Usage
from tollhouse.formats import codecs
from tollhouse.gateway.connection import ClientDisconnected
from tollhouse.gateway.stream_writer import HEAD, KeepAlive, StreamWriter

EVENTS = cast(StreamCodec, codecs()["openai", "chat"].streams)


async def pass_s(harness: GatewayHarness, seconds: float) -> None:
    """Time passes, and the pulse beats once."""
    harness.clock.ms += int(seconds * 1000)
    await harness.gateway.keep_alive.tick(harness.clock.ticks_ns())
    await turns()


class Silent:
    """A stream under way whose provider says `before`, falls silent until `speaks` is set, and says `after`."""

    def __init__(self, before: tuple[bytes, ...], after: tuple[bytes | UpstreamBroke | UpstreamTimeout, ...]) -> None:
        self.speaks = asyncio.Event()
        self.harness = GatewayHarness(
            first=FakeUpstream(streaming(*before, self.speaks, *after)), second=FakeUpstream(streaming(*before, *after))
        )
        self.client = FakeCallerConnection(asking(stream=True))
        self.asked = asyncio.create_task(self.harness.ask(self.client))

    async def end(self) -> None:
        self.speaks.set()
        await self.asked


def test_a_filler_every_15_s_of_silence() -> None:
    async def main() -> None:
        call = Silent((ROLE, word("one ")), (word("two "), FINISH, USAGE, DONE))
        await turns()
        assert call.client.parts == [ROLE + word("one ")]
        await pass_s(call.harness, 14.9)
        assert len(call.client.parts) == 1
        await pass_s(call.harness, 0.1)
        assert call.client.parts[1:] == [FILLER]
        await pass_s(call.harness, 14.9)
        assert len(call.client.parts) == 2
        await pass_s(call.harness, 0.1)
        assert call.client.parts[1:] == [FILLER, FILLER]
        await call.end()
        assert call.client.data == ROLE + word("one ") + 2 * FILLER + word("two ") + FINISH + DONE
        assert not call.harness.gateway.keep_alive.stream_writers
        assert call.harness.record.ending == "finished"

    run(main())


def test_a_filler_is_a_comment_between_events() -> None:
    assert FILLER.startswith(b":")
    assert FILLER.endswith(b"\n\n")


@pytest.mark.parametrize("before", [(), (ROLE,)], ids=["nothing yet", "a role"])
def test_a_filler_before_the_first_word_opens_the_answer(before: tuple[bytes, ...]) -> None:
    async def main() -> None:
        call = Silent(before, (ROLE, word("one "), FINISH, USAGE, DONE))
        await turns()
        assert not call.client.parts
        await pass_s(call.harness, 15)
        assert call.client.status == 200
        content_type, *head = call.client.headers
        assert content_type == (b"content-type", b"text/event-stream; charset=utf-8")
        assert head[: len(HEAD)] == HEAD
        assert call.client.parts == [FILLER]
        await call.end()
        assert [call.client.heads] == [1]
        assert call.client.data.startswith(FILLER)
        assert call.client.data.endswith(word("one ") + FINISH + DONE)
        assert call.harness.record.ending == "finished"

    run(main())


@pytest.mark.parametrize("after", [(UpstreamTimeout("too slow"),), (UpstreamBroke("x"),), (), (OVERLOADED,)])
def test_a_failure_after_a_filler_is_an_event_free_and_not_tried_elsewhere(
    after: tuple[bytes | UpstreamTimeout | UpstreamBroke, ...],
) -> None:
    async def main() -> None:
        call = Silent((), after)
        await turns()
        await pass_s(call.harness, 15)
        await call.end()
        assert call.client.ended
        assert call.client.parts[0] == FILLER
        assert call.client.parts[-1].startswith(b'data: {"error":')
        assert b"[DONE]" not in call.client.data
        record = call.harness.record
        assert (record.ending, record.usage, record.usage_source) == ("failed_before_first_byte", Usage(), "none")
        assert record.error is not None
        assert not call.harness.second.calls
        assert [one.provider for one in call.harness.health.snapshot(call.harness.clock.ms)] == ["one"]
        assert record.attempts[0].error == record.error
        assert call.harness.answers_settled

    run(main())


def test_nothing_is_said_before_the_provider_has_accepted_the_call() -> None:
    async def main() -> None:
        accepts = asyncio.Event()
        harness = GatewayHarness(
            first=FakeUpstream(ScriptedResponse(headers=STREAMS, before_head=(accepts,), pieces=(ROLE, FINISH, DONE)))
        )
        client = FakeCallerConnection(asking(stream=True))
        asked = asyncio.create_task(harness.ask(client))
        await turns()
        await pass_s(harness, 60)
        assert not client.heads
        accepts.set()
        await asked
        assert FILLER not in client.data

    run(main())


def test_a_caller_who_leaves_a_silent_stream() -> None:
    async def main() -> None:
        call = Silent((), ())
        await turns()
        await pass_s(call.harness, 15)
        call.client.leave()
        with pytest.raises(ClientDisconnected):
            await call.asked
        assert call.harness.record.ending == "client_left_before_first_byte"
        assert not call.harness.gateway.keep_alive.stream_writers
        assert call.harness.first.answers[0].aborted

    run(main())


def test_a_caller_who_does_not_read_keeps_no_filler_from_others() -> None:
    async def main() -> None:
        harness = GatewayHarness()
        keep_alive = KeepAlive(harness.clock, harness.gateway.sleep)
        blocked, reading = FakeCallerConnection(), FakeCallerConnection()
        blocked.slow = asyncio.Event()
        keep_alive.stream_writers = {
            StreamWriter(client, EVENTS, [], harness.clock.ticks_ns()) for client in (blocked, reading)
        }
        for _ in range(3):
            harness.clock.ms += 15_000
            await keep_alive.tick(harness.clock.ticks_ns())
            await turns()
        assert reading.parts == [FILLER] * 3
        assert blocked.parts == [FILLER], "and his own memory does not grow"
        blocked.slow.set()
        await turns()

    run(main())


def test_who_is_being_written_to_needs_no_filler() -> None:
    async def main() -> None:
        harness = GatewayHarness()
        keep_alive = KeepAlive(harness.clock, harness.gateway.sleep)
        client = FakeCallerConnection()
        client.slow = asyncio.Event()
        stream_writer = StreamWriter(client, EVENTS, [], harness.clock.ticks_ns())
        keep_alive.stream_writers = {stream_writer}
        writing = asyncio.create_task(stream_writer.write(ROLE, harness.clock.ticks_ns()))
        await turns()
        harness.clock.ms += 60_000
        await keep_alive.tick(harness.clock.ticks_ns())
        await turns()
        assert client.parts == [ROLE]
        client.slow.set()
        await writing

    run(main())


def test_the_keep_alive_beats_once_a_second() -> None:
    async def main() -> None:
        harness, client = GatewayHarness(), FakeCallerConnection()
        rests: list[float] = []
        enough = asyncio.Event()

        async def sleep(seconds: float) -> None:
            rests.append(seconds)
            harness.clock.ms += int(seconds * 1000)
            if len(rests) == 31:
                enough.set()
            await asyncio.sleep(0)

        keep_alive = KeepAlive(harness.clock, sleep)
        keep_alive.stream_writers = {StreamWriter(client, EVENTS, [], harness.clock.ticks_ns())}
        beating = asyncio.create_task(keep_alive.run())
        await enough.wait()
        beating.cancel()
        assert set(rests) == {1}
        assert client.parts == [FILLER] * 2

    run(main())

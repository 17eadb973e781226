"""How long a provider is listened to for a caller who left: the bounds, to the second, on a clock that runs ahead."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, Piece, ScriptedResponse
from tests.gateway.fast_loop import run_hastily
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
    word,
)
from tollhouse.core.usage import Usage
from tollhouse.gateway.connection import ClientDisconnected

REPORTED = Usage(input=60, output=12, requests=1)
DRAIN_SECONDS = 600
DRAIN = {"on_disconnect": "drain"}


class Late:
    """A wait of so many seconds, as two pieces of an answer: what begins it, and what ends it."""

    def __init__(self, seconds: float) -> None:
        self._over = asyncio.Event()
        self._seconds = seconds

    def begin(self) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self._over.set)

    @property
    def pieces(self) -> tuple[Piece, Piece]:
        return self.begin, self._over


def after(seconds: float) -> tuple[Piece, Piece]:
    return Late(seconds).pieces


def never() -> tuple[Piece]:
    return (asyncio.Event(),)


def listened(
    client: FakeCallerConnection, *pieces: Piece, stream: bool = True, **more: Any
) -> tuple[GatewayHarness, float]:
    """The harness after the call, and how long it took."""
    play = ScriptedResponse(headers=STREAMS if stream else NOTHING_STREAMS, pieces=pieces)
    harness = GatewayHarness(first=FakeUpstream(play), drain_seconds_max=DRAIN_SECONDS, **more)

    async def main() -> None:
        with suppress(ClientDisconnected):
            await harness.ask(client)

    seconds = run_hastily(main())
    assert harness.answers_settled
    assert harness.limits.inside == 0
    return harness, seconds


def source(harness: GatewayHarness) -> tuple[str, Usage]:
    return harness.record.usage_source, harness.record.usage


def test_a_stream_to_be_aborted_is_let_go_at_once() -> None:
    client = FakeCallerConnection(asking(stream=True))
    harness, seconds = listened(client, ROLE, word("one "), client.leave, *after(1), FINISH, USAGE, DONE)
    assert seconds == 0
    assert source(harness) == ("counted", Usage(input=5, output=1, requests=1))


@pytest.mark.parametrize(("late", "heard"), [(0.0, True), (1.9, True), (2.1, False), (10_000.0, False)])
def test_after_the_finish_reason_two_seconds_are_left_for_the_usage(late: float, heard: bool) -> None:
    client = FakeCallerConnection(asking(stream=True))
    harness, seconds = listened(client, ROLE, word("one "), FINISH, client.leave, *after(late), USAGE, DONE)
    assert seconds == pytest.approx(min(late, 2))
    assert source(harness) == (("drained", REPORTED) if heard else ("counted", Usage(input=5, output=1, requests=1)))
    assert harness.record.ending == "client_left_after_first_byte"


def test_also_where_the_caller_reads_slowly_and_leaves_while_the_finish_reason_is_written() -> None:
    """The reader is ahead of him: the finish reason has passed the platform, though not reached him."""
    for pieces in ((ROLE + word("one ") + FINISH,), (ROLE + word("one "), FINISH)):
        client = FakeCallerConnection(asking(stream=True))
        client.slow = asyncio.Event()
        written: list[bytes] = []

        def leave(data: bytes, client: FakeCallerConnection = client, written: list[bytes] = written) -> None:
            written.append(data)
            assert client.slow is not None
            if b'"stop"' in data:
                asyncio.get_running_loop().call_soon(client.leave)
                asyncio.get_running_loop().call_soon(client.slow.set)
            else:
                client.slow.set()

        client.on_part = leave
        harness, seconds = listened(client, *pieces, *after(1), USAGE, DONE)
        assert source(harness) == ("drained", REPORTED)
        assert seconds == pytest.approx(1)


def test_a_drained_stream_is_read_as_long_as_the_bound_allows() -> None:
    client = FakeCallerConnection(asking(stream=True))
    harness, seconds = listened(
        client, ROLE, word("one "), client.leave, *after(500), word("two "), FINISH, USAGE, DONE, provider=DRAIN
    )
    assert seconds == pytest.approx(500)
    assert source(harness) == ("drained", REPORTED)


def test_the_bound_counts_from_when_the_caller_left_and_no_word_prolongs_it() -> None:
    client = FakeCallerConnection(asking(stream=True))
    trickle = [piece for _ in range(20) for piece in (*after(70), word("more "))]
    harness, seconds = listened(client, ROLE, word("one "), *after(100), client.leave, *trickle, provider=DRAIN)
    assert seconds == pytest.approx(100 + DRAIN_SECONDS)
    assert source(harness) == ("counted", Usage(input=5, output=1 + 8, requests=1))


def test_the_first_word_does_not_begin_the_bound_anew() -> None:
    client = FakeCallerConnection(asking(stream=True))
    harness, seconds = listened(client, client.leave, *after(400), ROLE, word("one "), *never(), provider=DRAIN)
    assert seconds == pytest.approx(DRAIN_SECONDS)
    assert source(harness) == ("counted", Usage(input=5, output=1, requests=1))
    assert harness.record.ending == "client_left_before_first_byte"


@pytest.mark.parametrize(("late", "heard"), [(599, True), (601, False)])
def test_a_buffered_call_is_read_to_its_usage_within_the_bound(late: float, heard: bool) -> None:
    client = FakeCallerConnection(asking())
    harness, seconds = listened(client, client.leave, *after(late), answer(), stream=False)
    assert seconds == pytest.approx(min(late, DRAIN_SECONDS))
    assert source(harness) == (("drained", REPORTED) if heard else ("counted", Usage(input=5, requests=1)))

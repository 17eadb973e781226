"""How long a provider is listened to for a caller who left: the bounds, to the second, on a clock that runs ahead."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from tests.gateway.fakes import FakeClient, FakeUpstream, Piece, Play
from tests.gateway.hasty import run_hastily
from tests.gateway.stage import DONE, FINISH, NOTHING_STREAMS, ROLE, STREAMS, USAGE, Stage, answer, asking, word
from tollhouse.core.usage import Usage
from tollhouse.gateway.client import ClientLeft

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


def listened(client: FakeClient, *pieces: Piece, stream: bool = True, **more: Any) -> tuple[Stage, float]:
    """The stage after the call, and how long it took."""
    play = Play(headers=STREAMS if stream else NOTHING_STREAMS, pieces=pieces)
    stage = Stage(first=FakeUpstream(play), drain_seconds_max=DRAIN_SECONDS, **more)

    async def main() -> None:
        with suppress(ClientLeft):
            await stage.ask(client)

    seconds = run_hastily(main())
    assert stage.answers_settled
    assert stage.limits.inside == 0
    return stage, seconds


def source(stage: Stage) -> tuple[str, Usage]:
    return stage.record.usage_source, stage.record.usage


def test_a_stream_to_be_aborted_is_let_go_at_once() -> None:
    client = FakeClient(asking(stream=True))
    stage, seconds = listened(client, ROLE, word("one "), client.leave, *after(1), FINISH, USAGE, DONE)
    assert seconds == 0
    assert source(stage) == ("counted", Usage(input=5, output=1, requests=1))


@pytest.mark.parametrize(("late", "heard"), [(0.0, True), (1.9, True), (2.1, False), (10_000.0, False)])
def test_after_the_finish_reason_two_seconds_are_left_for_the_usage(late: float, heard: bool) -> None:
    client = FakeClient(asking(stream=True))
    stage, seconds = listened(client, ROLE, word("one "), FINISH, client.leave, *after(late), USAGE, DONE)
    assert seconds == pytest.approx(min(late, 2))
    assert source(stage) == (("drained", REPORTED) if heard else ("counted", Usage(input=5, output=1, requests=1)))
    assert stage.record.ending == "client_left_after_first_byte"


def test_also_where_the_caller_reads_slowly_and_leaves_while_the_finish_reason_is_written() -> None:
    """The reader is ahead of him: the finish reason has passed the house, though not reached him."""
    for pieces in ((ROLE + word("one ") + FINISH,), (ROLE + word("one "), FINISH)):
        client = FakeClient(asking(stream=True))
        client.slow = asyncio.Event()
        written: list[bytes] = []

        def leave(data: bytes, client: FakeClient = client, written: list[bytes] = written) -> None:
            written.append(data)
            assert client.slow is not None
            if b'"stop"' in data:
                asyncio.get_running_loop().call_soon(client.leave)
                asyncio.get_running_loop().call_soon(client.slow.set)
            else:
                client.slow.set()

        client.on_part = leave
        stage, seconds = listened(client, *pieces, *after(1), USAGE, DONE)
        assert source(stage) == ("drained", REPORTED)
        assert seconds == pytest.approx(1)


def test_a_drained_stream_is_read_as_long_as_the_bound_allows() -> None:
    client = FakeClient(asking(stream=True))
    stage, seconds = listened(
        client, ROLE, word("one "), client.leave, *after(500), word("two "), FINISH, USAGE, DONE, provider=DRAIN
    )
    assert seconds == pytest.approx(500)
    assert source(stage) == ("drained", REPORTED)


def test_the_bound_counts_from_when_the_caller_left_and_no_word_prolongs_it() -> None:
    client = FakeClient(asking(stream=True))
    trickle = [piece for _ in range(20) for piece in (*after(70), word("more "))]
    stage, seconds = listened(client, ROLE, word("one "), *after(100), client.leave, *trickle, provider=DRAIN)
    assert seconds == pytest.approx(100 + DRAIN_SECONDS)
    assert source(stage) == ("counted", Usage(input=5, output=1 + 8, requests=1))


def test_the_first_word_does_not_begin_the_bound_anew() -> None:
    client = FakeClient(asking(stream=True))
    stage, seconds = listened(client, client.leave, *after(400), ROLE, word("one "), *never(), provider=DRAIN)
    assert seconds == pytest.approx(DRAIN_SECONDS)
    assert source(stage) == ("counted", Usage(input=5, output=1, requests=1))
    assert stage.record.ending == "client_left_before_first_byte"


@pytest.mark.parametrize(("late", "heard"), [(599, True), (601, False)])
def test_a_buffered_call_is_read_to_its_usage_within_the_bound(late: float, heard: bool) -> None:
    client = FakeClient(asking())
    stage, seconds = listened(client, client.leave, *after(late), answer(), stream=False)
    assert seconds == pytest.approx(min(late, DRAIN_SECONDS))
    assert source(stage) == (("drained", REPORTED) if heard else ("counted", Usage(input=5, requests=1)))

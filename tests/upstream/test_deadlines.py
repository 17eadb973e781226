"""Each deadline, kept: connect, first byte, idle, total. Which one it was stands in the message, with its seconds.

Short deadlines against a provider that would take for ever: what is checked is the outcome, never how long it took.
"""

import asyncio
from collections.abc import Mapping

import pytest

from tests.upstream.conftest import Run
from tests.upstream.hostile import (
    OK,
    SECOND,
    Peer,
    Script,
    ask,
    drip,
    new_client,
    post,
    route_to,
    settle,
    unread,
    whole,
)
from tollhouse.core.failure import Failure, UpstreamTimeout
from tollhouse.core.upstream import Deadlines
from tollhouse.upstream.client import UpstreamClient
from tollhouse.upstream.deadline import Sweeper

CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
FIRST_BYTE = Deadlines(first_byte_ms=60)
IDLE = Deadlines(idle_ms=60)
TOTAL = Deadlines(total_ms=150)

CASES: Mapping[str, tuple[Script, Deadlines, str]] = {
    "silence": ([ask], FIRST_BYTE, "(first-byte deadline)"),
    "a-request-that-is-not-even-read": ([], FIRST_BYTE, "(first-byte deadline)"),
    "slow-headers": ([ask, OK, drip(b"x: y\r\n")], FIRST_BYTE, "(first-byte deadline)"),
    "a-slow-status-line": ([ask, OK[:13], drip(b"O")], FIRST_BYTE, "(first-byte deadline)"),
    "100-continue-and-no-more": ([ask, b"HTTP/1.1 100 Continue\r\n\r\n"], FIRST_BYTE, "(first-byte deadline)"),
    "100-continue-for-ever": ([ask, drip(b"HTTP/1.1 100 Continue\r\n\r\n")], FIRST_BYTE, "(first-byte deadline)"),
    "silence-before-the-body": ([ask, CHUNKED], IDLE, "(idle deadline)"),
    "silence-in-a-sized-body": ([ask, OK + b"content-length: 10\r\n\r\nhello"], IDLE, "(idle deadline)"),
    "silence-in-a-chunk": ([ask, CHUNKED + b"a\r\nhello"], IDLE, "(idle deadline)"),
    "silence-before-the-last-chunk": ([ask, CHUNKED + b"5\r\nhello\r\n"], IDLE, "(idle deadline)"),
    "silence-until-eof": ([ask, OK + b"\r\nhello"], IDLE, "(idle deadline)"),
    "a-chunk-extension-that-never-ends": ([ask, CHUNKED + b"5;", drip(b"x")], IDLE, "(idle deadline)"),
    "trailers-that-never-end": ([ask, CHUNKED + b"0\r\n", drip(b"x: y\r\n")], IDLE, "(idle deadline)"),
    "silence-for-the-whole-time": ([ask], TOTAL, "(total deadline)"),
    "a-body-that-never-ends": ([ask, CHUNKED, drip(b"5\r\nhello\r\n")], TOTAL, "(total deadline)"),
}


async def failure_of(
    client: UpstreamClient, port: int, deadlines: Deadlines, scheme: str = "http", body: bytes = b""
) -> Failure:
    with pytest.raises(Failure) as caught:
        await whole(await client.send(post(route_to(port, scheme=scheme), deadlines=deadlines, body=body)))
    return caught.value


@pytest.mark.parametrize("name", CASES)
def test_a_provider_is_not_waited_for_longer_than_its_deadline(run: Run, name: str) -> None:
    script, deadlines, words = CASES[name]

    async def main() -> None:
        client = new_client()
        async with Peer(script) as peer:
            failure = await failure_of(client, peer.port, deadlines)
            assert isinstance(failure, UpstreamTimeout)
            assert words in failure.message
            assert ("0.06 s" if deadlines is not TOTAL else "0.15 s") in failure.message
            await peer.wires[0].ended.wait()
            assert client.open_connections() == 0
            await client.close()

    run(main())


def test_a_request_that_the_provider_does_not_take_is_given_up(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([unread]) as peer:
            failure = await failure_of(client, peer.port, IDLE, body=bytes(50_000_000))
            assert isinstance(failure, UpstreamTimeout)
            assert "(idle deadline)" in failure.message
            await client.close()

    run(main())


def test_a_tls_handshake_that_is_not_answered_ends_with_the_connect_deadline(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([]) as peer:
            failure = await failure_of(client, peer.port, Deadlines(connect_ms=60), scheme="https")
            assert isinstance(failure, UpstreamTimeout)
            assert failure.message == "no connection to the provider within 0.06 s (connect deadline)"
            assert client.open_connections() == 0
            failure = await failure_of(client, peer.port, Deadlines(total_ms=60), scheme="https")
            assert failure.message == "no connection to the provider within 0.06 s (total deadline)"
            await client.close()

    run(main())


def test_an_answer_in_time_is_not_touched(run: Run) -> None:
    """Neither is one whose reader was away longer than the idle deadline: it is the provider's silence that counts."""

    async def main() -> None:
        client = new_client()
        async with Peer([ask, OK + b"content-length: 5\r\n\r\nhel", settle, b"lo"], [ask], [ask, SECOND]) as peer:
            slow = await client.send(post(route_to(peer.port), deadlines=Deadlines(idle_ms=60)))
            other = await failure_of(client, peer.port, Deadlines(first_byte_ms=120))
            assert isinstance(other, UpstreamTimeout)
            assert await whole(slow) == b"hello"
            await client.close()

    run(main())


class DeadlineClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ns = 0

    def now_ms(self) -> int:
        return self.ns // 1_000_000

    def ticks_ns(self) -> int:
        return self.ns


class Noted:
    def __init__(self, due_ns: int) -> None:
        self.due_ns = due_ns
        self.expired: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def expire(self, now_ns: int) -> None:
        if not self.expired.done():
            self.expired.set_result(now_ns)


def test_a_loop_that_was_away_reads_what_came_before_it_judges(run: Run) -> None:
    async def main() -> None:
        clock = DeadlineClock()
        sweeper = Sweeper(clock)
        soon, late = Noted(due_ns=50_000_000), Noted(due_ns=70_000_000_000)
        sweeper.watch(soon)
        sweeper.watch(late)
        clock.ns = 60_000_000_000  # as if the process had been stopped for a minute
        sweeper.sweep()
        assert not soon.expired.done()
        assert await soon.expired == clock.ns  # by the next sweep, on its own timer
        assert not late.expired.done()
        sweeper.stop()

    run(main())

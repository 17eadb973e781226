"""Nobody wants the answer any more: the provider sees its connection closed at once."""

import asyncio

import pytest

from tests.upstream.conftest import Run
from tests.upstream.hostile import (
    OK,
    SECOND,
    Peer,
    Step,
    ask,
    close,
    drip,
    flood,
    new_client,
    outcome,
    post,
    route_to,
    until,
)
from tollhouse.core.failure import UpstreamBroke

CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
CHUNK = b"5\r\nhello\r\n"


def test_giving_up_an_answer_closes_its_connection(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, CHUNKED + CHUNK], [ask, SECOND]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            assert await answer.read() == b"hello"
            answer.abort()
            answer.abort()
            assert client.open_connections() == 0
            with pytest.raises(UpstreamBroke):
                await answer.read()
            await peer.wires[0].ended.wait()
            assert await outcome(client, post(route_to(peer.port))) == (200, b"second")
            await client.close()

    run(main())


def test_a_waiting_reader_is_told(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, CHUNKED + CHUNK]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            assert await answer.read() == b"hello"
            reading = asyncio.ensure_future(answer.read())
            await asyncio.sleep(0)
            answer.abort()
            with pytest.raises(UpstreamBroke):
                await reading
            await peer.wires[0].ended.wait()
            await client.close()

    run(main())


def test_what_was_not_yet_read_is_not_given_out_any_more(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, CHUNKED + CHUNK]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            answer.abort()
            with pytest.raises(UpstreamBroke):
                await answer.read()
            await client.close()

    run(main())


@pytest.mark.parametrize("endless", [drip(CHUNK), flood(b"1000\r\n" + b"x" * 4096 + b"\r\n", 1_000_000)])
def test_a_provider_in_full_flow_is_stopped(run: Run, endless: Step) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, CHUNKED, endless]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            await answer.read()
            answer.abort()
            await peer.wires[0].ended.wait()
            await client.close()

    run(main())


def test_cancelling_the_wait_for_the_head_closes_the_connection(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask]) as peer:
            sending = asyncio.ensure_future(client.send(post(route_to(peer.port))))
            await until(lambda: peer.asked)
            sending.cancel()
            await asyncio.wait({sending})
            assert sending.cancelled()
            assert client.open_connections() == 0
            await peer.wires[0].ended.wait()
            await client.close()

    run(main())


def test_cancelling_a_reader_keeps_the_answer_readable(run: Run) -> None:
    """`asyncio.wait_for(answer.read(), ...)` must not cost a piece: the gateway bridges silences that way."""

    async def main() -> None:
        client = new_client()
        opened = asyncio.Event()

        async def later(wire: object) -> None:
            await opened.wait()

        async with Peer([ask, CHUNKED, later, CHUNK + b"0\r\n\r\n"]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            reading = asyncio.ensure_future(answer.read())
            await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait({reading})
            opened.set()
            assert await answer.read() == b"hello"
            assert await answer.read() == b""
            await client.close()

    run(main())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_cancelling_at_any_moment_of_connecting_leaves_nothing_open(run: Run, scheme: str) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([]) as peer:
            for turns in range(12):
                sending = asyncio.ensure_future(client.send(post(route_to(peer.port, scheme=scheme))))
                for _ in range(turns):
                    await asyncio.sleep(0)
                sending.cancel()
                await asyncio.wait({sending})
                assert sending.cancelled()
                assert client.open_connections() == 0
            await asyncio.gather(*(wire.ended.wait() for wire in peer.wires))
            await client.close()

    run(main())


def test_an_answer_of_which_no_more_is_needed_may_end_and_its_connection_serves_on(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        opened = asyncio.Event()

        async def later(wire: object) -> None:
            await opened.wait()

        async with Peer([ask, CHUNKED + CHUNK, later, CHUNK + b"0\r\n\r\n", ask, SECOND]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            answer.release()
            answer.release()
            opened.set()
            await until(client.idle_connections)
            assert await outcome(client, post(route_to(peer.port))) == (200, b"second")
            assert len(peer.wires) == 1
            await client.close()

    run(main())


@pytest.mark.parametrize(
    "rest",
    [
        [],
        [drip(CHUNK)],
        [flood(b"1000\r\n" + b"x" * 4096 + b"\r\n", 1_000_000)],
        [close],
    ],
    ids=["silent", "dripping", "flooding", "closed"],
)
def test_it_is_closed_if_its_end_does_not_come_soon(run: Run, rest: list[Step]) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, CHUNKED + CHUNK, *rest]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            assert await answer.read()
            answer.release()
            await peer.wires[0].ended.wait()
            await until(lambda: not client.open_connections())
            answer.abort()
            answer.release()
            await client.close()

    run(main())


def test_nothing_more_is_needed_of_an_answer_that_is_whole(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, OK + b"content-length: 5\r\n\r\nhello", ask, SECOND]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            await until(client.idle_connections)
            answer.release()
            assert await outcome(client, post(route_to(peer.port))) == (200, b"second")
            await client.close()

    run(main())

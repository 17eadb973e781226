"""Whoever does not read stops whoever writes, in both directions; memory stays small."""

import asyncio

from tests.upstream.conftest import Run
from tests.upstream.hostile import OK, Peer, PeerWire, ask, flood, new_client, outcome, post, route_to, unread, whole

PIECE = bytes(65_536)
PIECES = 800  # 50 MB
# What two loops and two kernels, whose buffers grow, may hold between the writer and a reader who is away.
BETWEEN_BYTES_MAX = 20_000_000
QUEUED_BYTES_MAX = 600_000  # the queue's high-water mark and one read of the loop beyond it


def test_a_provider_cannot_send_more_than_is_read(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        announced = OK + b"content-length: %d\r\n\r\n" % (len(PIECE) * PIECES)
        async with Peer([ask, announced, flood(PIECE, PIECES)]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            wire = peer.wires[0]
            await stalled(wire)
            assert wire.written < BETWEEN_BYTES_MAX
            queued = await answer.read()
            assert len(queued) < QUEUED_BYTES_MAX
            assert len(queued) + len(await whole(answer)) == len(PIECE) * PIECES
            assert wire.written == len(announced) + len(PIECE) * PIECES
            await client.close()

    run(main())


async def stalled(wire: PeerWire) -> None:
    """Until the provider could write nothing for many turns of the loop."""
    turns = 0
    while turns < 500:
        before = wire.written
        await asyncio.sleep(0)
        turns = turns + 1 if wire.written == before else 0


def test_a_large_request_arrives_whole(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        body = bytes(range(256)) * 40_000  # 10 MB
        async with Peer([ask, OK + b"content-length: 2\r\n\r\nok", ask, OK + b"content-length: 2\r\n\r\nok"]) as peer:
            for _ in range(2):
                assert await outcome(client, post(route_to(peer.port), body=body)) == (200, b"ok")
            assert [received for _, received in peer.asked] == [body, body]
            assert len(peer.wires) == 1
            await client.close()

    run(main())


def test_an_answer_that_comes_before_the_request_is_sent_is_read(run: Run) -> None:
    """The provider refuses a large request by its head; the connection, half a request on it, is not used again."""

    async def main() -> None:
        client = new_client()

        async def read_head(wire: PeerWire) -> None:
            await wire.reader.readuntil(b"\r\n\r\n")

        refused = b"HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\n\r\nno"
        async with Peer([read_head, refused, unread], [ask, OK + b"content-length: 2\r\n\r\nok"]) as peer:
            call = post(route_to(peer.port), body=bytes(50_000_000))
            assert await outcome(client, call) == (413, b"no")
            assert client.open_connections() == 0
            assert await outcome(client, post(route_to(peer.port))) == (200, b"ok")
            await client.close()

    run(main())

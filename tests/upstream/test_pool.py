"""Connections between requests: kept, taken again, given up, and waited for in line."""

import asyncio
from collections.abc import Awaitable

import pytest

from tests.upstream.conftest import Run
from tests.upstream.hostile import (
    OK,
    SECOND,
    Peer,
    PeerWire,
    Step,
    ask,
    close,
    new_client,
    outcome,
    post,
    reset,
    route_to,
    settle,
    until,
)
from tollhouse.core.failure import ConnectionsTaken, Failure, UpstreamBroke, UpstreamTimeout, UpstreamUnreachable
from tollhouse.core.upstream import Deadlines, UpstreamRequest, UpstreamRoute
from tollhouse.upstream.client import UpstreamClient

HELLO = OK + b"content-length: 5\r\n\r\nhello"


class GatedServer:
    """A step that holds the script until the test opens it, and says when it was reached."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, wire: PeerWire) -> None:
        self.reached.set()
        await self.opened.wait()


@pytest.mark.parametrize("ending", [close, reset])
def test_a_call_on_a_stale_connection_is_sent_once_more(run: Run, ending: Step) -> None:
    """The provider closes the kept connection just as the second request arrives."""

    async def main() -> None:
        client = new_client()
        async with Peer([ask, HELLO, ask, ending], [ask, SECOND]) as peer:
            call = post(route_to(peer.port), body=b'{"only": "once"}')
            assert await outcome(client, call) == (200, b"hello")
            assert await outcome(client, call) == (200, b"second")
            assert [len(wire.asked) for wire in peer.wires] == [2, 1]
            assert {body for _, body in peer.asked} == {b'{"only": "once"}'}
            assert client.open_connections() == 1
            await client.close()

    run(main())


def test_it_is_not_sent_a_third_time(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, HELLO, ask, close], [ask, close]) as peer:
            call = post(route_to(peer.port))
            assert await outcome(client, call) == (200, b"hello")
            assert await outcome(client, call) == (0, UpstreamBroke)
            assert [len(wire.asked) for wire in peer.wires] == [2, 1]
            await client.close()

    run(main())


@pytest.mark.parametrize("first", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"\r\n"])
def test_it_is_not_sent_again_once_a_byte_of_the_answer_came(run: Run, first: bytes) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, HELLO, ask, first, close], [ask, SECOND]) as peer:
            call = post(route_to(peer.port))
            assert await outcome(client, call) == (200, b"hello")
            assert await outcome(client, call) == (0, UpstreamBroke)
            assert len(peer.wires) == 1
            await client.close()

    run(main())


def test_it_is_not_sent_again_when_a_deadline_passed(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, HELLO, ask], [ask, SECOND]) as peer:
            call = post(route_to(peer.port), deadlines=Deadlines(first_byte_ms=60))
            assert await outcome(client, call) == (200, b"hello")
            assert await outcome(client, call) == (0, UpstreamTimeout)
            assert len(peer.wires) == 1
            await client.close()

    run(main())


def test_a_provider_that_is_gone_after_a_stale_connection_did_not_prove_unreachable(run: Run) -> None:
    """Something was sent, so it must not be called `nothing was sent`."""

    async def main() -> None:
        client = new_client()
        gate = GatedServer()
        async with Peer([ask, HELLO, ask, gate, close]) as peer:
            call = post(route_to(peer.port))
            assert await outcome(client, call) == (200, b"hello")
            second = asyncio.ensure_future(outcome(client, call))
            await gate.reached.wait()
            peer.stop_listening()
            gate.opened.set()
            assert await second == (0, UpstreamBroke)
            assert await outcome(client, call) == (0, UpstreamUnreachable)
            await client.close()

    run(main())


def test_a_connection_the_provider_closed_or_spoke_on_while_idle_is_not_used(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        timeout = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n"
        async with Peer([ask, HELLO, settle, close], [ask, HELLO, settle, timeout], [ask, SECOND]) as peer:
            call = post(route_to(peer.port))
            for number in range(2):
                assert await outcome(client, call) == (200, b"hello")
                await peer.wires[number].ended.wait()
                await until(lambda: not client.open_connections())
            assert await outcome(client, call) == (200, b"second")
            assert [len(wire.asked) for wire in peer.wires] == [1, 1, 1]
            await client.close()

    run(main())


def test_calls_beyond_the_cap_wait_in_line_and_are_served_in_order(run: Run) -> None:
    async def main() -> None:
        client = new_client(connections_max=1)
        gate = GatedServer()
        rest: list[Step] = [ask, HELLO] * 5
        async with Peer([ask, gate, HELLO, *rest]) as peer:
            calls = [post(route_to(peer.port), target=b"/%d" % number) for number in range(6)]
            running = [asyncio.ensure_future(outcome(client, call)) for call in calls]
            await gate.reached.wait()
            assert (client.open_connections(), client.waiting_calls()) == (1, 5)
            gate.opened.set()
            assert await asyncio.gather(*running) == [(200, b"hello")] * 6
            assert len(peer.wires) == 1
            assert [head.split()[1] for head, _ in peer.asked] == [b"/0", b"/1", b"/2", b"/3", b"/4", b"/5"]
            await client.close()

    run(main())


def test_a_place_that_a_broken_connection_leaves_goes_to_the_next_in_line(run: Run) -> None:
    async def main() -> None:
        client = new_client(connections_max=1)
        gate = GatedServer()
        async with Peer([ask, gate, close], [ask, HELLO + b"surplus"], [ask, SECOND]) as peer:
            call = post(route_to(peer.port))
            running = [asyncio.ensure_future(outcome(client, call)) for _ in range(3)]
            await gate.reached.wait()
            gate.opened.set()
            assert await asyncio.gather(*running) == [(0, UpstreamBroke), (200, b"hello"), (200, b"second")]
            assert len(peer.wires) == 3
            assert client.open_connections() == 1
            await client.close()

    run(main())


def test_who_leaves_the_line_does_not_take_a_place_along(run: Run) -> None:
    async def main() -> None:
        client = new_client(connections_max=1)
        gate = GatedServer()
        async with Peer([ask, gate, HELLO, ask, HELLO]) as peer:
            call = post(route_to(peer.port))
            first, leaving, last = (asyncio.ensure_future(outcome(client, call)) for _ in range(3))
            await gate.reached.wait()
            leaving.cancel()
            await asyncio.wait({leaving})
            impatient = post(route_to(peer.port), deadlines=Deadlines(connect_ms=60))
            assert await outcome(client, impatient) == (0, ConnectionsTaken), "the provider is not to blame"
            gate.opened.set()
            assert await first == await last == (200, b"hello")
            assert (client.open_connections(), client.idle_connections(), client.waiting_calls()) == (1, 1, 0)
            await client.close()

    run(main())


def test_a_connection_handed_to_somebody_who_is_leaving_is_not_lost(run: Run) -> None:
    """The answer ends, and the waiting call is cancelled before it could take the connection that came free."""

    async def main() -> None:
        client = new_client(connections_max=1)
        gate = GatedServer()
        async with Peer([ask, gate, HELLO, ask, SECOND]) as peer:
            call = post(route_to(peer.port))
            running = asyncio.ensure_future(outcome(client, call))
            await gate.reached.wait()
            leaving = asyncio.ensure_future(client.send(call))
            await until(client.waiting_calls)
            gate.opened.set()
            await until(lambda: not client.waiting_calls())
            leaving.cancel()
            await asyncio.wait({leaving})
            assert leaving.cancelled()
            assert len(peer.asked) == 1
            assert (client.open_connections(), client.idle_connections()) == (1, 1)
            assert await running == (200, b"hello")
            assert await outcome(client, call) == (200, b"second")
            await client.close()

    run(main())


def test_only_so_many_connections_are_kept(run: Run) -> None:
    async def main() -> None:
        client = new_client(idle_max=2)
        gate = GatedServer()
        async with Peer([ask, gate, HELLO]) as peer:
            call = post(route_to(peer.port))
            running = [asyncio.ensure_future(outcome(client, call)) for _ in range(5)]
            await until(lambda: len(peer.asked) == 5)
            gate.opened.set()
            await asyncio.gather(*running)
            assert (client.open_connections(), client.idle_connections()) == (2, 2)
            await client.close()
            assert client.open_connections() == 0

    run(main())


def test_a_connection_nobody_needs_is_closed_after_a_while(run: Run) -> None:
    async def main() -> None:
        client = new_client(idle_seconds=0.05)
        async with Peer([ask, HELLO]) as peer:
            assert await outcome(client, post(route_to(peer.port))) == (200, b"hello")
            assert client.idle_connections() == 1
            await peer.wires[0].ended.wait()
            assert (client.open_connections(), client.idle_connections()) == (0, 0)
            await client.close()

    run(main())


def test_a_connection_is_not_lent_to_a_route_with_other_rules(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, HELLO]) as peer:
            assert await outcome(client, post(route_to(peer.port))) == (200, b"hello")
            stricter = post(route_to(peer.port, allow_private=False))
            assert await outcome(client, stricter) == (0, UpstreamUnreachable)
            assert len(peer.asked) == 1
            await client.close()

    run(main())


def test_closing_the_client_ends_running_calls(run: Run) -> None:
    async def main() -> None:
        client = new_client()
        async with Peer([ask, OK + b"content-length: 10\r\n\r\nhello"], [ask]) as peer:
            answer = await client.send(post(route_to(peer.port)))
            assert await answer.read() == b"hello"
            reading = asyncio.ensure_future(failing(answer.read()))
            sending = asyncio.ensure_future(failing(client.send(post(route_to(peer.port)))))
            await until(lambda: len(peer.asked) == 2)
            await client.close()
            assert await reading is UpstreamBroke
            assert await sending is UpstreamBroke
            await asyncio.gather(*(wire.ended.wait() for wire in peer.wires))
            assert client.open_connections() == 0

    run(main())


async def failing(wait: Awaitable[object]) -> type[Failure]:
    with pytest.raises(Failure) as caught:
        await wait
    return type(caught.value)


def test_the_answer_of_a_finished_call_is_dead_to_its_connection(run: Run) -> None:
    """Giving up a call whose answer is whole must not touch the call that got its connection since."""

    async def main() -> None:
        client: UpstreamClient = new_client()
        gate = GatedServer()
        async with Peer([ask, HELLO, ask, gate, SECOND]) as peer:
            first = await client.send(post(route_to(peer.port)))
            await until(client.idle_connections)
            second = asyncio.ensure_future(outcome(client, post(route_to(peer.port))))
            await gate.reached.wait()
            first.abort()
            first.abort()
            with pytest.raises(UpstreamBroke):
                await first.read()
            gate.opened.set()
            assert await second == (200, b"second")
            assert len(peer.wires) == 1
            await client.close()

    run(main())


def test_an_account_leaves_room_for_others_and_what_comes_free_goes_to_who_has_the_least(run: Run) -> None:
    """200 slow calls of one account beside another's single one, on 8 connections."""

    async def main() -> None:
        client = new_client(connections_max=8)
        gate = GatedServer()
        async with Peer([ask, gate, HELLO] * 40) as peer:
            many = [asyncio.ensure_future(outcome(client, _of("acc_a", route_to(peer.port)))) for _ in range(200)]
            await until(lambda: len(peer.asked) == 6)
            assert (client.open_connections(), client.waiting_calls()) == (6, 194)
            others = [asyncio.ensure_future(outcome(client, _of("acc_b", route_to(peer.port)))) for _ in range(4)]
            await until(lambda: len(peer.asked) == 8)
            late = asyncio.ensure_future(outcome(client, _of("acc_c", route_to(peer.port))))
            await until(lambda: client.waiting_calls() == 194 + 2 + 1)
            gate.opened.set()
            assert await late == (200, b"hello")
            assert await asyncio.gather(*many, *others) == [(200, b"hello")] * 204
            assert (client.waiting_calls(), client.open_connections()) == (0, client.idle_connections())
            await client.close()

    run(main())


def _of(account_id: str, route: UpstreamRoute) -> UpstreamRequest:
    call = post(route)
    call.account_id = account_id
    return call


def test_a_route_that_nobody_could_be_reached_by_is_forgotten(run: Run) -> None:
    """Customers name as many hosts as they like: none of them may stay in memory."""

    async def nobody(host: str, port: int) -> list[str]:
        return []

    async def main() -> None:
        client = new_client(idle_seconds=0.02, look_up=nobody)
        for number in range(50):
            call = post(route_to(80, host=f"n{number}.example"))
            assert await outcome(client, call) == (0, UpstreamUnreachable)
        await until(lambda: not list(client._pool.origins()))
        await client.close()

    run(main())

"""Clients that leave, that close half, that wait for an invitation (E08)."""

import asyncio
import socket
import struct
import threading
from collections.abc import AsyncIterator

import pytest

from tests.edge.wire_client import RawClient, get, post
from tests.edge.wire_server import QUICK, Running, an_hour_later, body_of, exchange_of, mirror, reply, running, stream
from tollhouse.edge.asgi import Receive, Scope, Send
from tollhouse.edge.bounds import HttpLimits

PATIENT = HttpLimits()
EXPECTING = post(b"", b"Expect: 100-continue", b"Authorization: Bearer x").replace(
    b"Content-Length: 0", b"Content-Length: 5"
)


class RefusalRecorder:
    """An application that says when it runs, and what it learns of its client."""

    def __init__(self, *, streams: bool = False) -> None:
        self.streams = streams
        self.runs = threading.Event()
        self.told_gone = threading.Event()
        self.told_times = 0
        self.disconnect = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        gone = asyncio.Event()

        def on_gone() -> None:
            assert exchange.gone
            self.told_times += 1
            self.told_gone.set()
            gone.set()

        exchange.on_gone = on_gone
        if self.streams:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await receive()
        self.runs.set()
        if (await receive())["type"] == "http.disconnect":
            self.disconnect.set()
        await gone.wait()
        await send({"type": "http.response.body", "body": b"for nobody", "more_body": True})


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("reset", [False, True])
def test_an_application_learns_at_once_that_its_client_has_left(streams: bool, reset: bool) -> None:
    """By a call and by `receive`, once, whether the client closed or reset; long after its request, in mid silence."""
    observer = RefusalRecorder(streams=streams)
    with running(observer) as server:
        client = RawClient(server.port).send(post(b"abc"))
        if streams:
            assert client.until(b"one\r\n") is not None
        assert observer.runs.wait(20)
        _let_pass_the_time_of_half_closes(server)
        if reset:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.socket.close()
        assert observer.told_gone.wait(20)
        assert observer.disconnect.wait(20)
        server.call(lambda: None)
        assert observer.told_times == 1
        assert not server.defects


def _let_pass_the_time_of_half_closes(server: Running) -> None:
    """A close together with the request could be half a close; this client is known to be past that."""

    def older() -> None:
        for connection in server.connections():
            connection.waited_since_ns -= 10**9

    server.call(older)


def test_a_client_that_leaves_in_the_middle_of_its_body_is_gone() -> None:
    left = threading.Event()

    async def reader(scope: Scope, receive: Receive, send: Send) -> None:
        if await body_of(receive) is None:
            left.set()

    with running(reader) as server:
        client = RawClient(server.port).send(post(b"abc").replace(b"Length: 3", b"Length: 9"))
        client.socket.close()
        assert left.wait(20)


def test_a_client_that_closes_its_side_with_its_request_gets_a_whole_stream() -> None:
    shut = threading.Event()

    async def patient(scope: Scope, receive: Receive, send: Send) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"one "
            await asyncio.to_thread(shut.wait)
            yield b"two "
            yield b"three"

        await stream(send, pieces())
        assert not exchange_of(scope).gone

    with running(patient) as server, RawClient(server.port) as client:
        client.send(get()).shut()
        assert client.until(b"one \r\n") is not None
        shut.set()
        assert client.rest() == b"4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n"
        assert not server.defects


def test_a_client_that_left_without_a_word_is_noticed_when_written_to() -> None:
    """Closed together with its request, so it could be half a close; the second piece finds nobody."""
    told = threading.Event()

    async def talker(scope: Scope, receive: Receive, send: Send) -> None:
        exchange = exchange_of(scope)
        exchange.on_gone = told.set

        async def pieces() -> AsyncIterator[bytes]:
            while not exchange.gone:
                yield b"word "
                await asyncio.sleep(0)

        await stream(send, pieces())

    with running(talker) as server:
        RawClient(server.port).send(get()).socket.close()
        assert told.wait(20)


@pytest.mark.parametrize("closes", [b"Accept: */*", b"Connection: close"])
def test_a_client_that_waits_for_100_continue_gets_it_once_the_body_is_wanted(closes: bytes) -> None:
    with running(mirror) as server, RawClient(server.port) as client:
        client.send(EXPECTING.replace(b"Authorization: Bearer x", closes))
        assert client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        answer = client.send(b"abcde").answer()
        assert answer is not None
        assert answer.json()["start"] == "abcde"
        assert answer.closes == (closes == b"Connection: close")


def test_a_refusal_comes_without_waiting_for_the_body_and_ends_the_connection() -> None:
    with running(mirror) as server, RawClient(server.port) as client:
        client.send(EXPECTING.replace(b"POST / ", b"POST /refused "))
        head = client.until(b"\r\n\r\n") or b""
        assert head.startswith(b"HTTP/1.1 401 ")
        assert b"connection: close" in head
        client.send(b"abcde" + get(b"/smuggled"))
        assert b"smuggled" not in client.rest()


def test_an_unknown_expectation_is_ignored() -> None:
    with running(mirror) as server, RawClient(server.port) as client:
        client.send(EXPECTING.replace(b"100-continue", b"200-ok") + b"abcde")
        assert (client.until(b"\r\n") or b"").startswith(b"HTTP/1.1 200 ")


def test_no_100_continue_for_a_body_that_is_there_and_for_http_1_0() -> None:
    with running(mirror) as server:
        for payload in (EXPECTING, EXPECTING.replace(b"HTTP/1.1", b"HTTP/1.0")):
            with RawClient(server.port) as client:
                client.send(payload + b"abcde")
                assert (client.until(b"\r\n") or b"").startswith(b"HTTP/1.1 200 ")


def test_a_client_that_waits_for_100_continue_is_not_too_slow() -> None:
    """As long as the application has not asked for the body, it is the application that is slow."""
    asks = threading.Event()

    async def hesitates(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.to_thread(asks.wait)
        assert await body_of(receive) == b"abcde"
        await reply(send, 200, b"{}")

    with running(hesitates) as server, RawClient(server.port) as client:
        client.send(EXPECTING)
        an_hour_later(server)
        asks.set()
        assert client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        answer = client.send(b"abcde").answer()
        assert answer is not None
        assert answer.status == 200


def test_accepted_connections_send_small_pieces_at_once() -> None:
    """Nagle's algorithm against a peer's delayed acknowledgements costs 40 ms a stream."""
    with running(mirror, QUICK) as server, RawClient(server.port) as client:
        assert client.send(get()).answer() is not None

        def no_delay() -> list[int]:
            sockets = [connection.transport.get_extra_info("socket") for connection in server.connections()]
            return [each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for each in sockets]

        assert server.call(no_delay) == [1]

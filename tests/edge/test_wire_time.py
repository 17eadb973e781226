"""What takes too long ends: headers, bodies, silence, answers nobody takes. What the application delays does not.

No test here measures time: each waits for the end that must come, or asks the sweep as if hours had passed.
"""

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from tests.edge.wire_client import RawClient, chunked, get, post
from tests.edge.wire_server import Running, an_hour_later, body_of, mirror, reply, running, stream
from tollhouse.edge.asgi import Receive, Scope, Send
from tollhouse.edge.bounds import HttpLimits

PATIENT = HttpLimits()


def test_headers_that_trickle_are_refused_while_they_trickle() -> None:
    """A byte at a time, for ever: each byte keeps the connection busy, and does not start the clock again."""
    with running(mirror, replace(PATIENT, header_seconds=0.3)) as server, RawClient(server.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
        client.socket.settimeout(0.01)
        found = b""
        while not found.endswith(b"}"):
            client.send(b"b")
            try:
                found += client.socket.recv(65_536)
            except TimeoutError:
                continue
        assert found.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"request_timeout" in found


def test_300_slow_connections_are_all_ended_and_others_are_served_meanwhile() -> None:
    with running(mirror, replace(PATIENT, header_seconds=0.5)) as server:
        slow = [RawClient(server.port).send(b"GET / HTTP/1.1\r\nHost: x\r\nA: b") for _ in range(300)]
        with RawClient(server.port) as client:
            for _ in range(100):
                answer = client.send(get()).answer()
                assert answer is not None
                assert answer.status == 200
        for each in slow:
            answer = each.answer()
            assert answer is not None
            assert answer.status == 408
            assert each.rest() == b""
            each.socket.close()


@pytest.mark.parametrize(
    "payload", [post(b"abc").replace(b"Length: 3", b"Length: 9"), chunked(b"3\r\nab"), chunked(b"1\r\na\r\n")]
)
def test_a_body_that_does_not_come_is_refused(payload: bytes) -> None:
    with running(mirror, PATIENT) as server, RawClient(server.port) as client:
        client.send(payload)
        _until_it_runs(server)
        an_hour_later(server)
        answer = client.answer()
        assert answer is not None
        assert (answer.status, answer.json()["error"]["code"]) == (408, "request_timeout")
        assert client.rest() == b""
        assert [failure.status for failure in server.refused] == [408]


def test_a_body_that_began_fast_may_not_trickle_on() -> None:
    """The rate is measured over each window: 30 MB at once do not pay for an hour of waiting."""
    with running(mirror, replace(PATIENT, body_window_seconds=0.2)) as server, RawClient(server.port) as client:
        client.send(post(b"a" * 30_000_000).replace(b"30000000", b"30000009"))
        answer = client.answer()
        assert answer is not None
        assert answer.status == 408


def test_a_slow_body_without_a_bound_may_take_its_time() -> None:
    with running(mirror, replace(PATIENT, body_bytes_per_second_min=0)) as server, RawClient(server.port) as client:
        client.send(post(b"abc").replace(b"Length: 3", b"Length: 5"))
        _until_it_runs(server)
        an_hour_later(server)
        answer = client.send(b"de").answer()
        assert answer is not None
        assert answer.json()["start"] == "abcde"


def test_a_body_that_the_application_does_not_read_is_not_slow() -> None:
    reads = threading.Event()

    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.to_thread(reads.wait)
        body = await body_of(receive)
        await reply(send, 200, b"%d" % len(body or b""))

    with running(late, PATIENT) as server, RawClient(server.port) as client:
        sender = threading.Thread(target=client.send, args=(post(b"a" * 30_000_000),))
        sender.start()
        server.until(lambda: [c for c in server.connections() if c.flow.read_paused])
        an_hour_later(server)
        reads.set()
        answer = client.answer()
        sender.join()
        assert answer is not None
        assert answer.body == b"30000000"


def test_a_slow_body_under_an_answer_that_has_begun_lets_the_answer_end() -> None:
    """Nothing is written into it; the application learns that the rest will not come."""

    async def eager(scope: Scope, receive: Receive, send: Send) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"one "
            while await body_of(receive) is not None:
                pass
            yield b"two"

        await stream(send, pieces())

    with running(eager, PATIENT) as server, RawClient(server.port) as client:
        client.send(post(b"abc").replace(b"Length: 3", b"Length: 9"))
        assert client.until(b"one \r\n") is not None
        an_hour_later(server)
        assert client.rest() == b"3\r\ntwo\r\n0\r\n\r\n"
        assert not server.defects


@pytest.mark.parametrize("before", [b"", get()])
def test_silence_ends_a_connection_without_a_word(before: bytes) -> None:
    with running(mirror, PATIENT) as server, RawClient(server.port) as client:
        if before:
            assert client.send(before).answer() is not None
        server.until(server.connections)
        an_hour_later(server)
        assert client.rest() == b""
        assert not client.was_reset


def test_empty_lines_are_silence() -> None:
    """They are passed over before a request, and buy no time."""
    with running(mirror, replace(PATIENT, silent_seconds=0.3)) as server, RawClient(server.port) as client:
        client.socket.settimeout(0.01)
        for _ in range(2000):
            try:
                if not client.send(b"\r\n").more():
                    break
            except TimeoutError:
                continue
        else:
            raise AssertionError("empty lines kept the connection open")


def test_a_long_silence_of_the_application_ends_nothing() -> None:
    goes_on = threading.Event()

    async def thinks(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.to_thread(goes_on.wait)
        await reply(send, 200, b"{}")

    with running(thinks, PATIENT) as server, RawClient(server.port) as client:
        client.send(get())
        _until_it_runs(server)
        an_hour_later(server)
        goes_on.set()
        answer = client.answer()
        assert answer is not None
        assert answer.status == 200


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off() -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, 200, b"a" * 50_000_000)

    with running(large, PATIENT) as server, RawClient(server.port) as client:
        client.send(get())
        server.until(lambda: [c for c in server.connections() if c.flow.write_paused])
        an_hour_later(server)  # takes note of how much is left
        assert server.call(server.connections)
        an_hour_later(server)
        server.until(lambda: not server.connections())
        client.rest()
        assert client.was_reset


def test_a_refused_client_that_keeps_sending_is_dropped_in_the_end() -> None:
    with running(mirror, PATIENT) as server, RawClient(server.port) as client:
        answer = client.send(b"GARBAGE\r\n\r\n").answer()
        assert answer is not None
        client.send(b"x" * 1_000_000)
        assert server.call(server.connections)
        an_hour_later(server)
        server.until(lambda: not server.connections())


def _until_it_runs(server: Running) -> None:
    server.until(lambda: [c for c in server.connections() if c.running is not None])

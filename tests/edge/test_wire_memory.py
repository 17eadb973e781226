"""A connection that ended is freed at once: nothing of it waits for the collector of cycles, which would stop all."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from tests.edge.wire_client import RawClient
from tests.edge.wire_server import Running, mirror, running

POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
LOOKS = 10_000


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"GARBAGE\r\n\r\n",
        POST + b"Content-Length: 2\r\n\r\n{}",
        POST + b"Content-Length: 9\r\n\r\n{}",
        CHUNKED + b"2\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"2\r\n{}\r\n",
        CHUNKED + b"x\r\n",
    ],
)
def test_a_connection_that_ended_is_freed_without_the_collector(sent: bytes) -> None:
    with running(mirror) as server:
        with RawClient(server.port) as client:
            client.send(sent)
            (connection,) = _connections(server)
        for _ in range(LOOKS):
            if connection() is None:
                break
            server.call(server.refused.clear)  # their tracebacks know the connection
        assert connection() is None


def _connections(server: Running) -> list[weakref.ref[object]]:
    for _ in range(LOOKS):
        found: list[weakref.ref[object]] = server.call(lambda: [weakref.ref(one) for one in server.connections()])
        if found:
            return found
    raise AssertionError("nobody was let in")

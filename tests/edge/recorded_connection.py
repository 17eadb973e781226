"""A caller's connection without a socket, under a real exchange: what is written to it is kept."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from uvicorn.protocols.http.flow_control import FlowControl

from tollhouse.core.failure import Failure
from tollhouse.core.upstream import Headers
from tollhouse.edge.drain import Draining
from tollhouse.edge.exchange import Exchange
from tollhouse.edge.grammar import Course
from tollhouse.edge.head import Head


class _Listener:
    def __init__(self) -> None:
        self.draining = Draining()
        self.date = b""
        self.app: Callable[[Exchange], Awaitable[None]] = _nobody
        self.defect: Callable[[BaseException], None] = lambda error: None


async def _nobody(exchange: Exchange) -> None:
    """Nothing is served here."""


class _Transport:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.pause_reading = self.resume_reading = lambda: None

    def write(self, data: bytes) -> None:
        self.written.append(data)


class RecordedConnection:
    """See `edge.exchange.ExchangeConnection`. `ended`: the answer is whole, or broken off."""

    def __init__(self) -> None:
        self._transport = _Transport()
        self.transport = cast(asyncio.Transport, self._transport)
        self.shared = _Listener()
        self.flow = FlowControl(self.transport)
        self.tasks: set[asyncio.Task[None]] = set()
        self.client = ("192.0.2.1", 1)
        self.server = ("192.0.2.2", 80)
        self.address: str | None = "192.0.2.1"
        self.scheme = "http"
        self.ended = False

    def exchange(self, method: str = "POST", headers: Headers = [], length: int = 0) -> Exchange:  # noqa: B006
        """A request on this connection; of its body nothing has come."""
        course = Course(b"localhost", length, False, False, True)
        made = Exchange(self, Head(method, "/", b"/", b"", headers, course, False))
        made.more_body = length != 0
        return made

    def answer(self) -> tuple[int, dict[bytes, bytes], bytes]:
        """Status, headers and body of what was written; a chunked body is put together."""
        head, _, body = b"".join(self._transport.written).partition(b"\r\n\r\n")
        line, *fields = head.split(b"\r\n")
        headers = dict(field.split(b": ", 1) for field in fields)
        if headers.get(b"transfer-encoding") == b"chunked":
            body = b"".join(body.split(b"\r\n")[1::2])
        return int(line.split(b" ")[1]), headers, body

    def invite_body(self) -> None: ...
    def resume_body(self) -> None: ...
    def spoil(self, failure: Failure) -> None: ...

    def answered(self) -> None:
        self.ended = True

    def refuse(self, failure: Failure, path: str = "", *, with_body: bool = True) -> None:
        self.ended = True

    def break_off(self) -> None:
        self.ended = True

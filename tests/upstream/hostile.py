"""A provider that does what it is told, byte by byte: a raw-socket server with one script per connection.

A script is a list of steps: bytes are written, functions are awaited with the wire. When its steps are done, a
connection stays open and silent until the client closes it.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from types import TracebackType

from tollhouse.clock import SystemClock
from tollhouse.core.failure import Failure
from tollhouse.core.upstream import Deadlines, Headers, UpstreamRequest, UpstreamResponse, UpstreamRoute
from tollhouse.upstream.client import UpstreamClient

OK = b"HTTP/1.1 200 OK\r\n"
SECOND = OK + b"content-length: 6\r\n\r\nsecond"
PACE_SECONDS = 0.01


class PeerWire:
    """The provider's end of one connection. ended: the client has closed it, or it was reset."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.asked: list[tuple[bytes, bytes]] = []  # head and body of each request
        self.written = 0
        self.ended = asyncio.Event()
        self.by_reset = False

    async def write(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        self.written += len(data)


Step = bytes | Callable[[PeerWire], Awaitable[None]]
Script = Sequence[Step]


async def ask(wire: PeerWire) -> None:
    """Read one request."""
    head = await wire.reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    wire.asked.append((head, await wire.reader.readexactly(length)))


async def close(wire: PeerWire) -> None:
    """An orderly end (FIN; under TLS a close_notify before it)."""
    wire.writer.close()


async def reset(wire: PeerWire) -> None:
    """RST instead of FIN, after what was written has left."""
    endpoint = wire.writer.get_extra_info("socket")
    endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.writer.transport.abort()


async def settle(wire: PeerWire) -> None:
    """Let the client's loop read what was written before the next step."""
    for _ in range(20):
        await asyncio.sleep(0)


async def until(holds: Callable[[], object]) -> None:
    """Let the loop turn until it holds: for what has no event of its own."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(0)


async def unread(wire: PeerWire) -> None:
    """From now on leave what the client sends in the kernel."""
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]


def one_by_one(data: bytes) -> Callable[[PeerWire], Awaitable[None]]:
    async def write(wire: PeerWire) -> None:
        for at in range(len(data)):
            await wire.write(data[at : at + 1])
            await asyncio.sleep(0)

    return write


def drip(data: bytes) -> Callable[[PeerWire], Awaitable[None]]:
    """Write `data` every few milliseconds until the client closes."""

    async def write(wire: PeerWire) -> None:
        leaving = asyncio.ensure_future(wire.reader.read(1))
        while not leaving.done():
            await wire.write(data)
            await asyncio.wait({leaving}, timeout=PACE_SECONDS)
        leaving.result()

    return write


def flood(data: bytes, times: int) -> Callable[[PeerWire], Awaitable[None]]:
    async def write(wire: PeerWire) -> None:
        for _ in range(times):
            await wire.write(data)

    return write


class Peer:
    """`async with Peer(script, ...) as peer`: connection n is served script n, those that follow the last script."""

    def __init__(self, *scripts: Script, context: ssl.SSLContext | None = None) -> None:
        self.scripts = scripts
        self.wires: list[PeerWire] = []
        self._context = context
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def asked(self) -> list[tuple[bytes, bytes]]:
        return [request for wire in self.wires for request in wire.asked]

    def stop_listening(self) -> None:
        assert self._server is not None
        self._server.close()

    async def __aenter__(self) -> "Peer":
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._context)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        for _ in range(20):  # what was just accepted gets its task, so that it can be ended; asyncio loses it else
            await asyncio.sleep(0)
        self._server.close()
        for wire in self.wires:
            with suppress(AttributeError):  # asyncio 3.11.2 knows no end of a TLS connection that has ended
                wire.writer.transport.abort()
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        wire = PeerWire(reader, writer)
        number = len(self.wires)
        self.wires.append(wire)
        try:
            for step in self.scripts[min(number, len(self.scripts) - 1)]:
                await (wire.write(step) if isinstance(step, bytes) else step(wire))
            while await reader.read(65_536):
                pass
        except (OSError, asyncio.IncompleteReadError) as error:
            wire.by_reset = isinstance(error, OSError)
        except asyncio.CancelledError:
            wire.writer.transport.abort()  # the test is over; nobody awaits this task for its outcome
        finally:
            wire.ended.set()
            writer.close()
            self._serving.discard(serving)


def route_to(port: int, **rules: object) -> UpstreamRoute:
    fields: dict[str, object] = {"scheme": "http", "host": "127.0.0.1", "port": port, **rules}
    return UpstreamRoute(**fields)  # type: ignore[arg-type]


def post(
    route: UpstreamRoute,
    *,
    method: bytes = b"POST",
    target: bytes = b"/v1/chat/completions",
    headers: Headers | None = None,
    body: bytes = b"{}",
    deadlines: Deadlines | None = None,
) -> UpstreamRequest:
    return UpstreamRequest(
        route=route,
        method=method,
        target=target,
        headers=headers if headers is not None else [(b"content-type", b"application/json")],
        body=body,
        deadlines=deadlines or Deadlines(),
    )


def new_client(**settings: object) -> UpstreamClient:
    return UpstreamClient(SystemClock(), **settings)  # type: ignore[arg-type]


async def whole(answer: UpstreamResponse) -> bytes:
    pieces = []
    while piece := await answer.read():
        pieces.append(piece)
    return b"".join(pieces)


async def outcome(client: UpstreamClient, call: UpstreamRequest) -> tuple[int, bytes | type[Failure]]:
    """Status (0: no head came) and the whole body, or what failed."""
    status = 0
    try:
        answer = await client.send(call)
        status = answer.status
        return status, await whole(answer)
    except Failure as failure:
        if "127.0.0.1" in failure.message:
            raise ValueError("a message names the provider's address") from failure
        return status, type(failure)

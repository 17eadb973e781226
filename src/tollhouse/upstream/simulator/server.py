"""The simulator on a real socket: a small server of the OpenAI format, for tests and for trying things out.

Scripts come by the header `x-tollhouse-simulate` or as the model `simulate/<script>`. Nothing is defended here: it
stands on a loopback address and trusts who calls.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, cast

import httptools
import msgspec
from msgspec import Struct

from tollhouse.core.failure import Failure, KeyRefused, PathNotFound, UpstreamError, UpstreamTimeout
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Deadlines, Headers, UpstreamRequest, UpstreamResponse, UpstreamRoute
from tollhouse.formats.openai import failure as failures
from tollhouse.upstream.simulator.simulator import Simulator

_OPERATIONS: Final[tuple[tuple[bytes, Operation], ...]] = (
    (b"/v1/chat/completions", "chat"),
    (b"/v1/completions", "completions"),
    (b"/v1/responses", "responses"),
    (b"/v1/embeddings", "embeddings"),
    (b"/v1/moderations", "moderations"),
    (b"/v1/rerank", "rerank"),
    (b"/v1/images/generations", "images"),
    (b"/v1/audio/speech", "speech"),
    (b"/v1/images/edits", "image_edits"),
    (b"/v1/images/variations", "image_variations"),
    (b"/v1/audio/transcriptions", "transcriptions"),
    (b"/v1/audio/translations", "translations"),
)
_JSON: Final = (b"content-type", b"application/json")
_PATIENT: Final = Deadlines(connect_ms=2**40, first_byte_ms=2**40, idle_ms=2**40, total_ms=2**40)


class HttpRequest(Struct):
    """A request as it arrived."""

    method: bytes = b""
    target: bytes = b""
    headers: Headers = []
    body: bytes = b""
    keep_alive: bool = True

    def header(self, name: bytes) -> str:
        return dict(self.headers).get(name, b"").decode("latin-1")


class SimulatorServer:
    """`api_keys` empty: any key and none will do. `seen` is called with each request that arrived whole."""

    def __init__(
        self,
        simulator: Simulator,
        *,
        api_keys: Iterable[str] = (),
        models: Iterable[str] = ("simulator",),
        seen: Callable[[HttpRequest], None] | None = None,
    ) -> None:
        self.simulator = simulator
        self.connections = 0  # accepted so far
        self._api_keys = frozenset(api_keys)
        self._models = tuple(models)
        self._seen = seen
        self._open: set[_SimulatorConnection] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; gives the port, which the system chooses where `port` is 0."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _SimulatorConnection(self), host, port)
        chosen: int = self._server.sockets[0].getsockname()[1]
        return chosen

    async def close(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            self._server.close()
        for connection in tuple(self._open):
            connection.drop()
        if self._server is not None:
            await self._server.wait_closed()

    async def answer(self, asking: HttpRequest) -> UpstreamResponse:
        """Raises the Failure that is the answer."""
        if self._seen is not None:
            self._seen(asking)
        key = self._key(asking)
        operation = dict(_OPERATIONS).get(asking.target.partition(b"?")[0])
        if asking.method != b"POST" or operation is None:
            raise PathNotFound(f"Invalid URL ({asking.method.decode()} {asking.target.decode('latin-1')})")
        route = UpstreamRoute(scheme="http", host="localhost", port=80)
        call = UpstreamRequest(route, b"POST", asking.target, asking.headers, asking.body, _PATIENT, operation)
        call.model = _model(asking.body)
        call.script = asking.header(b"x-tollhouse-simulate")
        call.scripted_for = key
        return await self.simulator.send(call)

    def models(self, asking: HttpRequest) -> bytes:
        """Raises KeyRefused."""
        self._key(asking)
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "simulator"} for name in self._models]
        return msgspec.json.encode({"object": "list", "data": data})

    def _key(self, asking: HttpRequest) -> str:
        key = asking.header(b"authorization").removeprefix("Bearer ")
        if self._api_keys and key not in self._api_keys:
            raise KeyRefused("Incorrect API key provided.")
        return key


class _SimulatorConnection(asyncio.Protocol):
    """One request after the other; what is pipelined waits. When the peer leaves, what runs for it is aborted."""

    def __init__(self, server: SimulatorServer) -> None:
        self._server = server
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[HttpRequest] = deque()
        self._asking = HttpRequest()
        self._running: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self._server.connections += 1
        self._server._open.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._server._open.discard(self)
        self._writable.set()
        if self._running is not None:
            self._running.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def drop(self) -> None:
        self._transport.abort()

    def on_message_begin(self) -> None:
        self._asking = HttpRequest(headers=[])

    def on_url(self, url: bytes) -> None:
        self._asking.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._asking.headers.append((name.lower(), value))

    def on_body(self, data: bytes) -> None:
        self._asking.body += data

    def on_message_complete(self) -> None:
        self._asking.method = self._parser.get_method()
        self._asking.keep_alive = self._parser.should_keep_alive()
        self._waiting.append(self._asking)
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._serve())

    async def _serve(self) -> None:
        while self._waiting:
            asking = self._waiting.popleft()
            try:
                await self._answer(asking)
            except (UpstreamTimeout, UpstreamError):
                return self._transport.abort()
            if not asking.keep_alive:
                return self._transport.close()
        self._running = None
        return None

    async def _answer(self, asking: HttpRequest) -> None:
        try:
            if asking.method == b"GET" and asking.target.partition(b"?")[0] == b"/v1/models":
                return self._whole(200, [_JSON], self._server.models(asking))
            answer = await self._server.answer(asking)
        except Failure as failure:
            headers = [_JSON, *failure.headers]
            if failure.retry_after_ms is not None:
                headers.append((b"retry-after", b"%d" % -(-failure.retry_after_ms // 1000)))
            return self._whole(failure.status, headers, failures.body(failure, "simulated"))
        try:
            if any(value.startswith((b"text/event-stream", b"audio/")) for _, value in answer.headers):
                await self._stream(answer)
            else:
                await self._buffer(answer)
        finally:
            answer.abort()

    async def _stream(self, answer: UpstreamResponse) -> None:
        self._head(answer.status, [*answer.headers, (b"transfer-encoding", b"chunked")])
        while piece := await answer.read():
            self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await self._writable.wait()
        self._transport.write(b"0\r\n\r\n")

    async def _buffer(self, answer: UpstreamResponse) -> None:
        """A body that breaks was announced longer than it is."""
        body = b""
        try:
            while piece := await answer.read():
                body += piece
        except UpstreamError:
            self._head(answer.status, [*answer.headers, (b"content-length", b"%d" % (2 * len(body) + 1))])
            self._transport.write(body)
            raise
        self._whole(answer.status, answer.headers, body)

    def _whole(self, status: int, headers: Headers, body: bytes) -> None:
        self._head(status, [*headers, (b"content-length", b"%d" % len(body))])
        self._transport.write(body)

    def _head(self, status: int, headers: Headers) -> None:
        lines = [b"HTTP/1.1 %d Simulated" % status, *(b"%b: %b" % header for header in headers)]
        self._transport.write(b"\r\n".join(lines) + b"\r\n\r\n")


def _model(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Named).model
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""


class _Named(Struct):
    model: str = ""

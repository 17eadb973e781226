"""One request and its answer on a caller's connection: the gateway's `CallerConnection`, in bytes of HTTP/1.1.

Other applications (pages, the control API) find it behind ASGI (`asgi`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

from tollhouse.core.body_headers import encoding_of_json
from tollhouse.core.escaping import SHOWN_MAX, printable
from tollhouse.core.failure import Defect, Failure, RequestTimeout, RequestTooLarge
from tollhouse.core.upstream import Headers
from tollhouse.edge.drain import Draining
from tollhouse.edge.head import Head
from tollhouse.edge.status_lines import STATUS_LINES
from tollhouse.edge.write_flow import WriteFlow
from tollhouse.gateway.bodies import BodyReservation
from tollhouse.gateway.connection import ClientDisconnected

JSON: tuple[bytes, bytes] = (b"content-type", b"application/json")
_UNKNOWN: Final = -1
_CONTENT_LENGTH: Final = b"\r\ncontent-length: "
_FIELD: Final = b"\r\n%b: %b".__mod__
_COPIED_BYTES_MAX: Final = 16_384
_SLICE_BYTES: Final = 262_144
"""Of a body that the connection gets at once."""
_FREED_ASIDE_BYTES = 1024 * 1024
"""Of a body that will not be read: a thread gives more than that back to the system, which takes 5 ms for 30 MiB."""


class ExchangeListener(Protocol):
    """What an exchange needs of the listener it came to."""

    @property
    def app(self) -> "App": ...
    @property
    def draining(self) -> Draining: ...
    @property
    def date(self) -> bytes: ...
    @property
    def defect(self) -> Callable[[BaseException], None]: ...


class ExchangeConnection(Protocol):
    """What an exchange needs of the connection it runs on."""

    @property
    def shared(self) -> ExchangeListener: ...
    @property
    def client(self) -> tuple[str, int] | None: ...
    @property
    def server(self) -> tuple[str, int | None] | None: ...
    @property
    def scheme(self) -> str | None: ...
    @property
    def flow(self) -> WriteFlow: ...

    transport: asyncio.Transport
    tasks: set[asyncio.Task[None]]
    address: str | None

    def invite_body(self) -> None: ...
    def resume_body(self) -> None: ...
    def answered(self) -> None: ...
    def refuse(self, failure: Failure, path: str = "", *, with_body: bool = True) -> None: ...
    def spoil(self, failure: Failure) -> None: ...
    def break_off(self) -> None: ...


class Exchange:
    """See `gateway.connection.CallerConnection`.

    gone: the client has left, or the connection is cut off; sending on is harmless and goes nowhere.
    always: headers of whatever is answered; whoever serves the exchange sets them, and `body_max`.
    """

    # fmt: off
    __slots__ = (
        "_asked", "_bodiless", "_body", "_chunked", "_head", "_left", "_news", "always", "body_held", "body_max",
        "complete", "connection", "encoding", "expects_continue", "gone", "headers", "http_1_0", "keep_alive", "length",
        "method", "more_body", "on_gone", "path", "peer", "query", "raw_path", "spoiled", "started", "task",
    )
    # fmt: on

    def __init__(self, connection: ExchangeConnection, head: Head) -> None:
        self.connection = connection
        self._asked = head
        self.peer = connection.address or ""  # the address at the other end; empty for a socket file
        self.method = head.method
        self.path = head.path
        self.raw_path = head.raw_path
        self.query = head.query
        self.headers = head.headers
        self.http_1_0 = head.http_1_0
        course = head.course
        self.length = course.length  # of the request's body as announced; below 0: unknown
        self.keep_alive = course.keep_alive
        self.body_max = 0
        self.always: Sequence[tuple[bytes, bytes]] = ()
        self.encoding = ""
        self.expects_continue = self.more_body = False
        self.spoiled = False  # the rest of the body will never come
        self.body_held = 0  # bytes that came and were not taken yet; below 0: the end was told
        self._body: list[bytes] = []
        self._news: asyncio.Event | None = None  # something that `receive` waits for has happened
        self._head: bytes | None = None  # a head that waits for the first piece of its body
        self._left = _UNKNOWN  # bytes of the answer's body still to come, where its length is known
        self._chunked = self._bodiless = False
        self.started = self.complete = self.gone = False
        self.on_gone: Callable[[], None] | None = None
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Have the application answer. Whatever it does, the client is answered or cut off."""
        connection = self.connection
        try:
            await connection.shared.app(self)
            if not self.complete and not self.gone:
                raise Defect("This platform gave no complete answer to your request.")
        except Failure as failure:
            if isinstance(failure, Defect):
                connection.shared.defect(failure)
            self._fail(failure)
        except asyncio.CancelledError:
            if not self.complete and not self.gone:
                connection.break_off()
            raise
        except Exception as error:  # guard: a defect of an application ends its own request, told in words
            connection.shared.defect(error)
            self._fail(Defect("This platform failed on your request."))
        finally:
            if self.task is not None:
                connection.tasks.discard(self.task)

    def _fail(self, failure: Failure) -> None:
        self.on_gone = None
        if self.gone or self.complete:
            return
        if self.started and self._head is None:
            self.connection.break_off()  # the answer has begun: it must not look whole
        else:
            self.connection.refuse(failure, self.path, with_body=self.method != "HEAD")

    def leave(self) -> None:
        """The client is gone. Safe to call twice."""
        if self.gone or self.complete:
            return
        self.gone = True
        self._wake()
        call, self.on_gone = self.on_gone, None
        if call is not None:
            call()

    def _wake(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = None

    # the request's body

    def feed(self, data: bytes, more: bool) -> None:
        if data:
            self._body.append(data)
            self.body_held += len(data)
        self.more_body = more
        if self._news is not None:
            self._wake()

    async def body(self, reservation: BodyReservation | None = None) -> list[bytes]:
        """See `CallerConnection.body`. Asked for once the caller is known: before that, nobody is told what is wrong
        with it."""
        encoding = self._asked.encoding
        if encoding is None:
            self._asked.encoding = encoding = encoding_of_json(self.headers)
        self.encoding = encoding
        if self.length > self.body_max:
            raise self._too_large()
        if reservation is not None:
            await reservation.reserve(self.length)
            reservation.cut = self.cut_body
        if self._body and not self.more_body and not self.gone:  # the usual case: it is all here
            pieces, self._body = self._body, []
            self.body_held = _UNKNOWN
            if sum(map(len, pieces)) > self.body_max:
                raise self._too_large()
            return pieces
        piece = await self._next()
        if len(piece) > self.body_max:
            raise self._too_large()
        pieces = [piece]
        if self.more_body:
            try:
                await self._rest(pieces, reservation)
            except (Failure, ClientDisconnected):
                if sum(map(len, pieces)) > _FREED_ASIDE_BYTES:
                    asyncio.get_running_loop().run_in_executor(None, pieces.clear)
                raise
        return pieces

    async def receive(self) -> bytes | None:
        """The next piece of the body, empty where it has none more; None: the client has left, or will not send its
        rest. Waits for what comes; behind the body's end, for the client to leave or the answer to end."""
        if self.expects_continue:
            self.expects_continue = False
            self.connection.invite_body()
        while not (self._body or self.gone or self.spoiled or self.complete):
            if not self.more_body and self.body_held != _UNKNOWN:
                break  # it is over, and nobody was told
            if self._news is None:
                self._news = asyncio.Event()
            await self._news.wait()
        if self.gone or self.spoiled or self.complete:
            return None
        pieces, self._body = self._body, []
        if not self.more_body:
            self.body_held = _UNKNOWN  # the end has been told
        elif self.body_held:
            self.body_held = 0
            self.connection.resume_body()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    async def _next(self) -> bytes:
        piece = await self.receive()
        if piece is None:
            raise ClientDisconnected
        return piece

    async def _rest(self, pieces: list[bytes], reservation: BodyReservation | None) -> None:
        """Add the rest of a body to its first piece."""
        size = len(pieces[0])
        while self.more_body or self.body_held > 0:
            piece = await self._next()
            size += len(piece)
            if size > self.body_max:
                raise self._too_large()
            if reservation is not None:
                reservation.received = size
                await reservation.grow(size, self.body_max)
            pieces.append(piece)
        if reservation is not None:
            reservation.cut = None

    def cut_body(self) -> None:
        """End a body that comes too slowly while others wait for its room: what still comes of it is dropped."""
        if self.more_body and not self.gone and not self.complete:
            self.connection.spoil(
                RequestTimeout(
                    "The body of this request came too slowly while others waited with theirs: send it again."
                )
            )

    def _too_large(self) -> RequestTooLarge:
        return RequestTooLarge(f"the request body is larger than the {self.body_max} bytes this platform takes")

    def spoil(self) -> None:
        """The rest of the request's body will never come; its answer, which has begun, may still end."""
        self.spoiled = True
        self.keep_alive = False
        self._wake()

    # the answer: each waits while the client takes less than it is given, also for what came before this request

    async def send_response(self, status: int, headers: Headers, body: bytes) -> None:
        if not self.gone:
            self.begin(status, [*headers, *self.always, (b"content-length", b"%d" % len(body))])
            await self.send(body, more=False)

    async def send_headers(self, status: int, headers: Headers) -> None:
        if not self.gone:
            self.begin(status, [*headers, *self.always])
            if self.connection.flow.write_paused:
                await self.connection.flow.drain()

    async def send_chunk(self, data: bytes) -> None:
        await self.send(data, more=True)

    def write_chunk(self, data: bytes) -> bool:
        """Only of an answer that is sent in chunks."""
        if self.gone:
            return True
        if not self._chunked or self.complete or self.connection.flow.write_paused:
            return False
        self.connection.transport.write(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    async def finish(self, data: bytes) -> None:
        await self.send(data, more=False)

    async def break_off(self, data: bytes) -> None:
        await self.send(data, more=True)
        self.end_unfinished()

    def end_unfinished(self) -> None:
        """Close behind what was written, without the last chunk: the answer is not whole, and shows it.

        To a client of HTTP/1.0 any close looks like an end; what it was told last has to do.
        """
        if self.gone or self.complete:
            return
        self.complete = True
        self.keep_alive = False
        self._wake()
        self.connection.answered()

    def begin(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """The head of the answer; it leaves with the first piece of a body whose length it names. Raises Defect for
        headers that are none, and where an answer has begun."""
        if self.started:
            raise Defect("An application began an answer twice.")
        if status == 204:  # RFC 9110, 8.6
            headers = [field for field in headers if field[0] != b"content-length"]
        block = b"".join(map(_FIELD, headers))
        if block.count(b"\n") != len(headers) or block.count(b"\r") != len(headers):
            raise Defect("An application gave a header that holds a line end.")
        length = block.find(_CONTENT_LENGTH)
        if self.method == "HEAD" or status in (204, 304):
            self._bodiless = True
        elif length >= 0:
            begin = length + len(_CONTENT_LENGTH)
            end = block.find(b"\r", begin)
            self._left = int(block[begin:] if end < 0 else block[begin:end])
        elif self.http_1_0:
            self.keep_alive = False  # the end of the answer is the end of the connection
        else:
            self._chunked = True
            block += b"\r\ntransfer-encoding: chunked"
        shared = self.connection.shared
        if b"\r\nconnection: close" in block:
            self.keep_alive = False
        else:
            if self.more_body or shared.draining.flag:
                self.keep_alive = False
            if not self.keep_alive:
                block += b"\r\nconnection: close"
        self._head = STATUS_LINES[status] + block + shared.date + b"\r\n\r\n"
        self.started = True
        if self._left == _UNKNOWN and not self._bodiless:
            head, self._head = self._head, None  # a stream's head does not wait for its first word
            self.connection.transport.write(head)

    async def send(self, data: bytes, *, more: bool) -> None:
        """A piece of the answer's body; the last one: not `more`. Raises Defect where none can stand."""
        if self.gone:
            return
        if not self.started or self.complete:
            raise Defect("An application sent a piece of an answer where none can stand.")
        if len(data) > _SLICE_BYTES:
            await self._send_slices(data, more)
        else:
            self._piece(data, more)
        if self.connection.flow.write_paused:  # also behind the last piece: an answer is over when it has left
            await self.connection.flow.drain()

    async def _send_slices(self, data: bytes, more: bool) -> None:
        """Send a large piece of the body, others having a turn in between: copying 30 MB at once takes 10 ms."""
        flow = self.connection.flow
        for at in range(0, len(data), _SLICE_BYTES):
            if self.gone:
                return
            behind = at + _SLICE_BYTES
            self._piece(data[at:behind], more or behind < len(data))
            await (flow.drain() if flow.write_paused else asyncio.sleep(0))

    def _piece(self, data: bytes, more: bool) -> None:
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
            if not more:
                data += b"0\r\n\r\n"
        elif self._bodiless:
            data = b""
        elif self._left >= 0:
            self._left -= len(data)
            if self._left < 0 or (self._left and not more):
                raise Defect("An application gave an answer whose length is not the one it announced.")
        head, self._head = self._head, None
        if head is not None and len(data) <= _COPIED_BYTES_MAX:
            data = head + data
        elif head is not None:
            self.connection.transport.write(head)
        if data:
            self.connection.transport.write(data)
        if not more:
            self.complete = True
            if self._news is not None:
                self._wake()
            self.connection.answered()


App = Callable[[Exchange], Awaitable[None]]
"""What answers the exchanges of a listener."""


def shown(text: str) -> str:
    """A caller's text inside a message: bounded, and without what a terminal or a log would act on."""
    return printable(text, SHOWN_MAX)

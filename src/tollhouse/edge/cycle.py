"""One request and its answer: an application's ASGI messages on one side, the bytes of a connection on the other."""

import asyncio
from collections.abc import Callable, MutableMapping, Sequence
from typing import Any, Final, Protocol

from uvicorn.protocols.http.flow_control import FlowControl

from tollhouse.core.failure import Defect, Failure
from tollhouse.edge.exchange import Scope
from tollhouse.edge.listener_context import ListenerContext
from tollhouse.edge.refusal import STATUS_LINES

_UNKNOWN: Final = -1
_CONTENT_LENGTH: Final = b"\r\ncontent-length: "
_COPIED_BYTES_MAX: Final = 16_384
_SLICE_BYTES: Final = 262_144
"""Of a body that the connection gets at once."""


class CycleConnection(Protocol):
    """What a cycle needs of the connection it runs on."""

    shared: ListenerContext
    transport: asyncio.Transport
    flow: FlowControl
    tasks: set[asyncio.Task[None]]

    def invite_body(self) -> None: ...
    def resume_body(self) -> None: ...
    def answered(self) -> None: ...
    def refuse(self, failure: Failure, path: str = "", *, with_body: bool = True) -> None: ...
    def spoil(self, failure: Failure) -> None: ...
    def break_off(self) -> None: ...


class Cycle:
    """What an application finds in `scope["extensions"]["tollhouse"]`.

    gone: the client has left, or the connection is cut off; sending on is harmless and goes nowhere.
    on_gone: called once, on the loop, when that happens while the request runs. Look at `gone` after setting it.
    """

    __slots__ = (
        "_bodiless",
        "_body",
        "_chunked",
        "_head",
        "_head_only",
        "_http_1_0",
        "_left",
        "_news",
        "_wire",
        "body_held",
        "complete",
        "expects_continue",
        "gone",
        "keep_alive",
        "more_body",
        "on_gone",
        "spoiled",
        "started",
        "task",
    )

    def __init__(self, wire: CycleConnection, head_only: bool, http_1_0: bool, keep_alive: bool) -> None:
        self._wire = wire
        self._head_only = head_only
        self._http_1_0 = http_1_0
        self.keep_alive = keep_alive
        self.expects_continue = False
        self.more_body = False
        self.spoiled = False  # the rest of the body will never come
        self.body_held = 0  # bytes that came and were not taken yet
        self._body: list[bytes] = []
        self._news: asyncio.Event | None = None  # something that `receive` waits for has happened
        self._head: bytes | None = None  # a head that waits for the first piece of its body
        self._left = _UNKNOWN  # bytes of the answer's body still to come, where its length is known
        self._chunked = self._bodiless = False
        self.started = False  # the application has given a status
        self.complete = False
        self.gone = False
        self.on_gone: Callable[[], None] | None = None
        self.task: asyncio.Task[None] | None = None

    async def run(self, scope: Scope) -> None:
        """Have the application answer. Whatever it does, the client is answered or cut off."""
        try:
            await self._wire.shared.app(scope, self.receive, self.send)
            if not self.complete and not self.gone:
                raise Defect("This platform gave no complete answer to your request.")
        except Failure as failure:
            if isinstance(failure, Defect):
                self._wire.shared.defect(failure)
            self._fail(failure, scope["path"])
        except asyncio.CancelledError:
            if not self.complete and not self.gone:
                self._wire.break_off()
            raise
        except Exception as error:  # guard: a defect of an application ends its own request, told in words
            self._wire.shared.defect(error)
            self._fail(Defect("This platform failed on your request."), scope["path"])
        finally:
            if self.task is not None:
                self._wire.tasks.discard(self.task)

    def _fail(self, failure: Failure, path: str) -> None:
        self.on_gone = None
        if self.gone or self.complete:
            return
        if self.started and self._head is None:
            self._wire.break_off()  # the answer has begun: it must not look whole
        else:
            self._wire.refuse(failure, path, with_body=not self._head_only)

    # the request's body

    def feed(self, data: bytes, more: bool) -> None:
        if data:
            self._body.append(data)
            self.body_held += len(data)
        self.more_body = more
        self._wake()

    async def receive(self) -> MutableMapping[str, Any]:
        if self.expects_continue:
            self.expects_continue = False
            self._wire.invite_body()
        while not (self._body or self.gone or self.spoiled or self.complete or self._body_is_over_and_untold()):
            if self._news is None:
                self._news = asyncio.Event()
            await self._news.wait()
        if self.gone or self.spoiled or self.complete:
            return {"type": "http.disconnect"}
        pieces = self._body
        body = b"".join(pieces)
        self._body = []
        if self.more_body:
            if self.body_held:
                self.body_held = 0
                self._wire.resume_body()
        else:
            self.body_held = _UNKNOWN  # the end has been told
        return {"type": "http.request", "body": body, "more_body": self.more_body}

    def _body_is_over_and_untold(self) -> bool:
        return not self.more_body and self.body_held != _UNKNOWN

    def refuse_body(self, failure: Failure) -> None:
        """End a request whose body is not whole: what still comes of it is dropped."""
        if self.more_body and not self.gone and not self.complete:
            self._wire.spoil(failure)

    def spoil(self) -> None:
        """The rest of the request's body will never come; its answer, which has begun, may still end."""
        self.spoiled = True
        self.keep_alive = False
        self._wake()

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

    # the answer

    def end_unfinished(self) -> None:
        """Close behind what was written, without the last chunk: the answer is not whole, and shows it.

        To a client of HTTP/1.0 any close looks like an end; what it was told last has to do.
        """
        if self.gone or self.complete:
            return
        self.complete = True
        self.keep_alive = False
        self._wake()
        self._wire.answered()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Waits while the client takes less than it is given, also for what came before this request.

        Raises Defect for messages out of order and for headers that are none.
        """
        kind = message["type"]
        if self.gone:
            return
        if kind == "http.response.body" and self.started and not self.complete:
            data, more = message.get("body", b""), message.get("more_body", False)
            if len(data) > _SLICE_BYTES:
                await self._send_slices(data, more)
            else:
                self._piece(data, more)
        elif kind == "http.response.start" and not self.started:
            self._start(message["status"], message.get("headers", ()))
        else:
            raise Defect(f"An application sent {kind} where it cannot stand.")
        if self._wire.flow.write_paused:  # also behind the last piece: an answer is over when it has left
            await self._wire.flow.drain()

    async def _send_slices(self, data: bytes, more: bool) -> None:
        """Send a large piece of the body, others having a turn in between: copying 30 MB at once takes 10 ms."""
        for at in range(0, len(data), _SLICE_BYTES):
            if self.gone:
                return
            behind = at + _SLICE_BYTES
            self._piece(data[at:behind], more or behind < len(data))
            await (self._wire.flow.drain() if self._wire.flow.write_paused else asyncio.sleep(0))

    def _start(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        if status == 204:  # RFC 9110, 8.6
            headers = [field for field in headers if field[0] != b"content-length"]
        block = b"".join([b"\r\n%b: %b" % (name, value) for name, value in headers])
        if block.count(b"\n") != len(headers) or block.count(b"\r") != len(headers):
            raise Defect("An application gave a header that holds a line end.")
        length = block.find(_CONTENT_LENGTH)
        if self._head_only or status in (204, 304):
            self._bodiless = True
        elif length >= 0:
            begin = length + len(_CONTENT_LENGTH)
            end = block.find(b"\r", begin)
            self._left = int(block[begin:] if end < 0 else block[begin:end])
        elif self._http_1_0:
            self.keep_alive = False  # the end of the answer is the end of the connection
        else:
            self._chunked = True
            block += b"\r\ntransfer-encoding: chunked"
        if b"\r\nconnection: close" in block:
            self.keep_alive = False
        else:
            if self.more_body or self._wire.shared.draining.flag:
                self.keep_alive = False
            if not self.keep_alive:
                block += b"\r\nconnection: close"
        self._head = STATUS_LINES[status] + block + self._wire.shared.date + b"\r\n\r\n"
        self.started = True
        if self._left == _UNKNOWN and not self._bodiless:
            head, self._head = self._head, None  # a stream's head does not wait for its first word
            self._wire.transport.write(head)

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
            self._wire.transport.write(head)
        if data:
            self._wire.transport.write(data)
        if not more:
            self.complete = True
            self._wake()
            self._wire.answered()

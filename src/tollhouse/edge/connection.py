"""The bytes of one client's connection, cut into requests. What two parsers could read differently is refused.

A connection takes bytes in one of five ways, and `_takes` says which: a head, a body of known length, a chunked body,
what a client sends ahead while its answer is under way, and what is dropped while the connection closes. Heads are
framed and checked whole before llhttp splits them; what is sent ahead is not looked at before its turn, so nothing is
ever written into an answer under way.
"""

import asyncio
import socket
from collections.abc import Callable
from struct import pack
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from tollhouse.core.failure import BadRequest, Failure, HeadersTooLarge, Overloaded, RequestTimeout, UpgradeRequired
from tollhouse.edge import grammar
from tollhouse.edge.chunks import Chunks
from tollhouse.edge.exchange import Exchange
from tollhouse.edge.head import Head, LastHead, again, read, remember
from tollhouse.edge.listener_context import ListenerContext

_HEAD_END: Final = b"\r\n\r\n"
_CR: Final = 0x0D
_ALWAYS_SERVED: Final = frozenset(("/healthz", "/readyz", "/v1/healthz", "/v1/readyz"))
_HALF_CLOSE_NS: Final = 50_000_000
_NS: Final = 1_000_000_000
_HEAD_KEPT_SECONDS: Final = 2


class ServerConnection(HttpToolsProtocol):
    """uvicorn's protocol, of which the book-keeping and the flow control remain."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        shared: ListenerContext,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        del self.parser  # not used; it refers back to this object, which only the collector could free then
        self.shared = shared
        self.running: Exchange | None = None
        self._takes: Callable[[bytes], None] = self._take_head
        self._held = bytearray()  # an incomplete head, or what was sent ahead
        self._last: LastHead | None = None
        self.waited_since_ns = shared.clock.ticks_ns()  # when the present wait began
        self._body_left = 0
        self._chunks: Chunks | None = None
        self._window_bytes = 0  # of the body, since `waited_since_ns`
        self._closing = False  # no answer will follow
        self._dropped = 0
        self._answered_before = False
        self._half_closed = False
        self._unsent = 0  # bytes the client had not taken at the last look

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        held_max = self.shared.limits.held_bytes_max
        transport.set_write_buffer_limits(high=held_max, low=held_max // 4)
        self.address = self.client[0] if self.client else None
        try:
            others = (each for each in self.connections if isinstance(each, ServerConnection) and each is not self)
            self.shared.connection_limiter.enter(self.address, others)
        except Failure as failure:
            self.refuse(failure)

    def data_received(self, data: bytes) -> None:
        self._takes(data)

    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's never stays open
        """A client may close its own side and still read: it does so together with its request.

        One that closes later is leaving. Returns whether the connection stays open.
        """
        exchange = self.running
        if exchange is None:
            self._half_closed = True
            if self._held and not self._closing:
                self._refuse_cut_head()
            return False
        just_sent = self.shared.clock.ticks_ns() - self.waited_since_ns < _HALF_CLOSE_NS
        if exchange.more_body or not just_sent:
            exchange.leave()
            return False
        self._half_closed = True
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self)
        self.shared.connection_limiter.leave(self.address)
        self.flow.resume_writing()
        self._takes = _ignore  # no longer a method of this object, which can so be freed at once
        self._closing = True
        self._held.clear()
        if self._chunks is not None:
            self._chunks.close()
        if self.running is not None:
            self.running.leave()
            self.running = None

    @property
    def waits_since_ns(self) -> int | None:
        """Since when it waits for its client alone: idle, or in the middle of a head. None: it does not."""
        return None if self.running is not None or self._closing else self.waited_since_ns

    def shutdown(self) -> None:
        """Its place is needed, or the listener has closed: end as soon as the answer under way is whole."""
        if self.running is not None:
            self.running.keep_alive = False
        elif not self._closing:
            self._closing = True
            self.transport.close()

    # ways to take bytes

    def _take_head(self, data: bytes) -> None:
        held = self._held
        seen = len(held)
        whole: bytes | bytearray = data
        if seen:
            held += data
            whole = held
        if whole[0] == _CR:  # RFC 9112, 2.2: clients of old send an empty line behind a body
            whole = whole.removeprefix(b"\r\n").removeprefix(b"\r\n")
            seen = 0
        end = whole.find(_HEAD_END, max(seen - len(_HEAD_END) + 1, 0)) + len(_HEAD_END)
        if end < len(_HEAD_END):
            self._await_head(whole, seen)
            return
        head, rest = bytes(whole[:end]), bytes(whole[end:])
        held.clear()
        if end > self.shared.limits.header_bytes_max:
            self._refuse_large_head()
        else:
            self._begin(head, rest)

    def _await_head(self, whole: bytes | bytearray, seen: int) -> None:
        """Keep an incomplete head, unless what stands there already cannot become one.

        Its first `seen` bytes have been here before.
        """
        held = self._held
        if whole is not held:
            held[:] = whole
        if not seen and held and held != b"\r":  # empty lines do not start the clock again
            self.waited_since_ns = self.shared.clock.ticks_ns()
        if self._half_closed:
            self._refuse_cut_head()
        elif len(held) > self.shared.limits.header_bytes_max:
            self._refuse_large_head()
        elif grammar.is_hopeless(held, seen):
            self.refuse(grammar.explain(bytes(held)))

    def _refuse_cut_head(self) -> None:
        self.refuse(BadRequest("The connection was closed in the middle of this request's headers."))

    def _refuse_large_head(self) -> None:
        maximum = self.shared.limits.header_bytes_max
        self.refuse(HeadersTooLarge(f"The headers of this request exceed {maximum} bytes in all."))

    def _take_length(self, data: bytes) -> None:
        left = self._body_left - len(data)
        if left < 0:
            self._ahead(data[left:])
            data = data[:left]
            left = 0
        self._body_left = left
        self._give_body(data, left > 0)

    def _take_chunks(self, data: bytes) -> None:
        assert self._chunks is not None
        try:
            body, rest = self._chunks.feed(data)
        except Failure as failure:
            self.spoil(failure)
            return
        more = not self._chunks.done
        if not more:
            self._chunks.close()
            self._chunks = None
            if rest:
                self._ahead(rest)
        if body or not more:
            self._give_body(body, more)

    def _give_body(self, data: bytes, more: bool) -> None:
        exchange = self.running
        assert exchange is not None
        self._window_bytes += len(data)
        if not more:
            self._takes = self._ahead
            self.waited_since_ns = self.shared.clock.ticks_ns()
        exchange.feed(data, more)
        if more and exchange.body_held > self.shared.limits.held_bytes_max:
            self.flow.pause_reading()

    def _ahead(self, data: bytes) -> None:
        """What comes before its turn waits, unread."""
        self._held += data
        if len(self._held) > self.shared.limits.held_bytes_max:
            self.flow.pause_reading()

    def _drop(self, data: bytes) -> None:
        self._dropped += len(data)
        if self._dropped > self.shared.limits.linger_bytes_max:
            self.transport.abort()

    # requests

    def _begin(self, head_bytes: bytes, rest: bytes) -> None:
        path = ""
        try:
            head = None if self._last is None else again(self._last, head_bytes)
            if head is None:
                head = read(head_bytes, self.shared.limits.header_count_max)
                self._last = remember(head_bytes, head)
            path = head.path
            if head.course.websocket or self.shared.draining.flag:
                self._require_service(head)
        except Failure as failure:
            self.refuse(failure, path, with_body=not head_bytes.startswith(b"HEAD "))
            return
        exchange = Exchange(self, head)
        self._start(exchange, head.course, rest)
        if not exchange.gone:
            exchange.task = task = self.loop.create_task(exchange.run())
            self.tasks.add(task)

    def _require_service(self, head: Head) -> None:
        """Raises UpgradeRequired; Overloaded for what is not served any more while the process leaves."""
        if head.course.websocket:
            raise UpgradeRequired(
                "WebSocket is not offered here; send the request over HTTPS.", headers=((b"upgrade", b"HTTP/1.1"),)
            )
        shared = self.shared
        if shared.draining.flag and not shared.serves_while_draining and head.path not in _ALWAYS_SERVED:
            raise Overloaded("This process is shutting down; try again.", retry_after_ms=1000)

    def _start(self, exchange: Exchange, course: grammar.Course, rest: bytes) -> None:
        self.running = exchange
        self.waited_since_ns = self.shared.clock.ticks_ns()
        if course.length == 0:
            self._takes = self._ahead
            if rest:
                self._ahead(rest)
            return
        exchange.more_body = True
        exchange.expects_continue = course.expects_continue and not rest
        self._window_bytes = 0
        if len(rest) == course.length:  # the usual case: the body came with its head
            self._takes = self._ahead
            exchange.feed(rest, False)
            return
        if course.length < 0:
            self._chunks = Chunks(self.shared.limits.header_bytes_max)
            self._takes = self._take_chunks
        else:
            self._body_left = course.length
            self._takes = self._take_length
        if rest:
            self._takes(rest)
        if self._half_closed and exchange.more_body:
            self._close_gently()

    # what an exchange asks for

    def invite_body(self) -> None:
        """`100 Continue`: the application wants the body that the client holds back."""
        if not self.transport.is_closing():
            self.waited_since_ns = self.shared.clock.ticks_ns()
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def resume_body(self) -> None:
        if self.flow.read_paused:
            self.waited_since_ns = self.shared.clock.ticks_ns()
            self._window_bytes = 0
            self.flow.resume_reading()

    def answered(self) -> None:
        """The answer is whole: go on with the next request, or close."""
        exchange, self.running = self.running, None
        assert exchange is not None
        if not exchange.keep_alive or (self._half_closed and not self._held):
            if exchange.more_body or self._held:
                self._close_gently()
            else:
                self._closing = True
                self.transport.close()
            return
        self._answered_before = True
        self.waited_since_ns = self.shared.clock.ticks_ns()
        self._takes = self._take_head
        if self._held:
            ahead = bytes(self._held)
            self._held.clear()
            self.flow.resume_reading()
            self._take_head(ahead)

    def refuse(self, failure: Failure, path: str = "", *, with_body: bool = True) -> None:
        """Answer with a failure, and close. Only where no byte of an answer has left."""
        self.shared.refused(failure)
        self.transport.write(self.shared.refusals.write(failure, path, self.shared.date, with_body=with_body))
        self._close_gently()
        if isinstance(failure, RequestTimeout):
            self.transport.close()  # nothing is on its way that a reset could answer

    def break_off(self) -> None:
        """Close so that a client cannot take what it has for whole: with a reset."""
        peer = self.transport.get_extra_info("socket")
        if peer is not None and not self.transport.is_closing():
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))
        self.transport.abort()

    def spoil(self, failure: Failure) -> None:
        """The body under way can never be whole. An answer that has begun may still end."""
        exchange = self.running
        assert exchange is not None
        self._takes = self._drop
        if exchange.started:
            exchange.spoil()
        else:
            self.refuse(failure)

    def _close_gently(self) -> None:
        """No more answers. What the client still sends is dropped for a while: a reset could overtake the last one."""
        if self.running is not None:
            self.running.leave()
            self.running = None
        self._held.clear()
        self._takes = self._drop
        self._closing = True
        self.waited_since_ns = self.shared.clock.ticks_ns()
        self.flow.resume_reading()
        if self._half_closed or not self.transport.can_write_eof():
            self.transport.close()
        else:
            self.transport.write_eof()

    # the clock

    def sweep(self, now_ns: int) -> None:
        """Called by the server several times a second, for all connections in turn: end what waits too long."""
        waited = (now_ns - self.waited_since_ns) / _NS
        unsent = self.transport.get_write_buffer_size()
        if unsent:
            self._sweep_answer(unsent, waited, now_ns)
            return
        limits = self.shared.limits
        exchange = self.running
        if waited > _HEAD_KEPT_SECONDS:
            self._last = None  # thousands of connections may wait for their clients
        if exchange is not None:
            if exchange.more_body and not (exchange.expects_continue or exchange.spoiled or self.flow.read_paused):
                self._sweep_body(waited, now_ns)
        elif self._closing:
            if waited > limits.linger_seconds:
                self.transport.abort()
        elif self._held:
            if waited > limits.header_seconds:
                self.refuse(
                    RequestTimeout(f"The headers of this request took longer than {limits.header_seconds:g} seconds.")
                )
        elif waited > (limits.keep_alive_seconds if self._answered_before else limits.silent_seconds):
            self.transport.close()

    def _sweep_answer(self, unsent: int, waited: float, now_ns: int) -> None:
        """A client is slow to take its answer: no other clock runs meanwhile, but it has to take something."""
        if unsent != self._unsent:
            self._unsent = unsent
            self.waited_since_ns = now_ns
        elif waited > self.shared.limits.stalled_answer_seconds:
            self.break_off()

    def _sweep_body(self, waited: float, now_ns: int) -> None:
        limits = self.shared.limits
        if waited < limits.body_window_seconds:
            return
        if self._window_bytes < limits.body_bytes_per_second_min * waited:
            self.spoil(
                RequestTimeout(
                    f"The body of this request came slower than {limits.body_bytes_per_second_min} bytes a second."
                )
            )
        self.waited_since_ns = now_ns
        self._window_bytes = 0


def _ignore(data: bytes) -> None:
    pass

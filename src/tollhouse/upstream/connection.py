"""One connection to a provider: bytes out, bytes in, one request at a time."""

import asyncio
import socket
import ssl
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Final, Protocol, cast

from tollhouse.core.spool import SpooledBytes
from tollhouse.core.upstream import Piece
from tollhouse.upstream.stream import ResponseBody

_SLICE_BYTES: Final = 262_144  # of a large request, between two looks at whether the provider still reads
_SLICES_A_TURN: Final = 4
JOIN_BYTES_MAX: Final = 65_536  # up to here head and body leave in one write
_KEEPALIVE_SECONDS: Final = 60  # a provider may think for minutes; firewalls forget silent connections sooner


class ConnectionOwner(Protocol):
    """Who keeps the connection between two requests, and counts it."""

    def ready(self, connection: "UpstreamConnection") -> None: ...
    def forget(self, connection: "UpstreamConnection") -> None: ...
    def gone(self, connection: "UpstreamConnection") -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """reused: it has carried a request before. closed: nothing can be sent any more. idle_since_ns: in clock ticks.
    account_id: whose call it carries; None while it is idle."""

    __slots__ = (
        *("_full", "_owner", "_paused", "_rest", "_stream", "_transport", "_turning"),
        *("account_id", "closed", "idle_since_ns", "reused"),
    )

    def __init__(self, owner: ConnectionOwner) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._stream: ResponseBody | None = None
        self._rest: deque[memoryview | SpooledBytes] = deque()  # of the request's body
        self._full = False  # the transport asks not to be given more
        self._turning = False  # the rest goes on with the next turn of the event loop, or when more of it was read
        self._paused = False
        self.reused = False
        self.closed = False
        self.idle_since_ns = 0
        self.account_id: str | None = None

    @property
    def sending(self) -> bool:
        return self._full or self._turning or bool(self._rest)

    def start(self, stream: ResponseBody, head: bytes, body: bytes, rest: Sequence[Piece] = ()) -> None:
        """Send a request, whose answer goes to `stream`. A connection that closed meanwhile ends the stream at once."""
        self._stream = stream
        if self.closed:
            self._stream = None
            stream.ended(orderly=False)
            return
        assert self._transport is not None
        if len(body) < JOIN_BYTES_MAX and not rest:
            self._transport.write(head + body)
            return
        self._transport.write(head)
        for piece in (body, *rest):
            self._rest.append(piece if isinstance(piece, SpooledBytes) else memoryview(piece))
        self._send_rest()

    def _send_rest(self) -> None:
        """Send on while the provider reads, and let the event loop turn in between: copying 30 MiB takes 25 ms."""
        assert self._transport is not None
        for _ in range(_SLICES_A_TURN):
            if not self._rest or self._full:
                break
            if self._turning:
                return
            piece = self._rest.popleft()
            if isinstance(piece, SpooledBytes):
                self._read_on(piece)
                return
            if len(piece) > _SLICE_BYTES:
                self._rest.appendleft(piece[_SLICE_BYTES:])
            self._transport.write(piece[:_SLICE_BYTES])
        if self._rest and not (self._full or self._turning):
            self._turning = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _read_on(self, piece: SpooledBytes) -> None:
        """Read the next of a file, in a thread, for a disk may be slow."""
        self._turning = True
        reading = asyncio.get_running_loop().run_in_executor(None, piece.read, _SLICE_BYTES)
        reading.add_done_callback(partial(self._was_read, piece))

    def _was_read(self, piece: SpooledBytes, reading: "asyncio.Future[bytes]") -> None:
        failed = reading.cancelled() or reading.exception() is not None
        self._turning = False
        if self.closed:
            return
        data = b"" if failed else reading.result()
        if not data:  # the call is over, or the disk failed: what was announced cannot be sent
            self.cut()
            return
        if len(data) < len(piece):
            self._rest.appendleft(piece.behind(len(data)))
        assert self._transport is not None
        self._transport.write(data)
        self._send_rest()

    def _turn(self) -> None:
        self._turning = False
        if not self.closed:
            self._send_rest()

    # What the stream asks for: see stream.Line.

    def pause(self) -> None:
        if self._transport is not None and not self.closed:
            self._paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        self._paused = False
        if self._transport is not None and not self.closed and not self._transport.is_closing():
            self._transport.resume_reading()

    def finished(self, keep: bool) -> None:
        self._stream = None
        assert self._transport is not None
        sent = not (self._full or self._turning or self._rest or self._transport.get_write_buffer_size())
        if keep and sent and not self.closed:
            if self._paused:
                self.resume()
            self.reused = True
            self._owner.ready(self)
        else:
            self.cut()

    def cut(self) -> None:
        stream, self._stream = self._stream, None
        if not self.closed:
            self.closed = True
            self._rest.clear()
            self._owner.forget(self)
            if self._transport is not None:
                self._transport.abort()
        if stream is not None:
            stream.ended(orderly=False)

    # What the event loop tells: see asyncio.Protocol.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=JOIN_BYTES_MAX, low=0)
        endpoint = transport.get_extra_info("socket")
        endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            endpoint.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)

    def data_received(self, data: bytes) -> None:
        if self._stream is None:
            self.cut()  # nothing was asked: what it says cannot be an answer
        else:
            self._stream.feed(data)

    def eof_received(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.ended(orderly=self._said_goodbye())
        self.cut()

    def _said_goodbye(self) -> bool:
        """Under TLS a FIN proves nothing, anybody on the way can send one; a close_notify does. asyncio reports both
        alike, so the TLS state is asked: after a close_notify reading gives the end, else a wish for more."""
        assert self._transport is not None
        tls: ssl.SSLObject | None = self._transport.get_extra_info("ssl_object")
        if tls is None:
            return True
        try:
            return tls.read(1) == b""
        except ssl.SSLZeroReturnError:
            return True
        except ssl.SSLError:
            return False

    def connection_lost(self, error: Exception | None) -> None:
        stream, self._stream = self._stream, None
        if not self.closed:
            self.closed = True
            self._owner.forget(self)
        if stream is not None:
            stream.ended(orderly=False)
        self._owner.gone(self)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._send_rest()
        if self._stream is not None:
            self._stream.wake()

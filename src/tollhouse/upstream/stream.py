"""One answer: from its first byte to its last, as it is parsed and as it is read.

The connection feeds bytes in; whoever sent the request reads pieces out. Between the two stands a short queue: when it
is full the connection stops reading, and the provider stops sending. An answer that needs a parser (`parsed`) has its
own, so that nothing of one answer can leak into the next.

What ends an answer cleanly: its Content-Length, the last chunk, or, where it has neither, the provider's orderly close
of the connection (FIN; under TLS a close_notify). Everything else breaks it.
"""

import asyncio
from typing import Final, Protocol

from httptools import HttpParserError, HttpParserUpgrade

from tollhouse.core.clock import Clock
from tollhouse.core.failure import Failure, UpstreamBroke, UpstreamTimeout
from tollhouse.core.upstream import Deadlines, Headers, TakePiece
from tollhouse.upstream.deadline import Sweeper
from tollhouse.upstream.decoding import PACKED_BYTE, Decoder, is_packed
from tollhouse.upstream.parsed import HEAD_BYTES_MAX, HEADERS_MAX, AnswerParser
from tollhouse.upstream.plain_head import read as read_plain

QUEUE_BYTES_MAX: Final = 65_536
RELEASED_MS: Final = 1_000  # for the end of an answer that nobody reads any more
_NS: Final = 1_000_000

TURN_BYTES: Final = 16 * 1024
"""What one call reads before others have a turn: events of an answer that comes at once take some 8 us each."""


class UpstreamTransport(Protocol):
    """What an answer needs of the connection that carries it."""

    @property
    def sending(self) -> bool:
        """The request is not yet wholly sent."""
        ...

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def finished(self, keep: bool) -> None:
        """The answer is whole. keep: nothing stands against another request on this connection."""
        ...

    def cut(self) -> None:
        """Close at once. Safe to call twice."""
        ...


class ResponseBody:
    """See `core.upstream.UpstreamResponse`. `silent`: not one byte of the answer has come. `head_ns`: when its head was
    there."""

    # fmt: off
    __slots__ = (
        "_begun", "_clock", "_deadlines", "_decoded_bytes_max", "_decoder", "_dry_bytes", "_failure", "_has_body",
        "_keep", "_left", "_line", "_parser", "_phase", "_pieces", "_queued_bytes", "_returned", "_sized", "_stopped",
        "_sweeper", "_taker", "_total_ns", "_waiter", "_whole", "due_ns", "head_ns", "headers", "silent", "status",
    )
    # fmt: on

    def __init__(
        self,
        line: UpstreamTransport,
        clock: Clock,
        sweeper: Sweeper,
        deadlines: Deadlines,
        *,
        started_ns: int,
        has_body: bool,
        decoded_bytes_max: int,
    ) -> None:
        """started_ns: when the whole call began. has_body: False for an answer to HEAD."""
        self.status = 0
        self.headers: Headers = []
        self.silent = True
        self.head_ns = 0
        self._line = line
        self._clock = clock
        self._sweeper = sweeper
        self._deadlines = deadlines
        self._has_body = has_body
        self._decoded_bytes_max = decoded_bytes_max
        self._parser: AnswerParser | None = None  # of an answer whose head is not a plain one
        self._left = 0  # bytes of the body that are still to come, where the head is plain
        self._dry_bytes = 0  # came since the last byte of a body
        self._sized = False  # a length or a last chunk says where the body ends
        self._decoder: Decoder | None = None
        self._begun = False  # of the body something has come
        self._keep = True
        self._whole = False
        self._failure: Failure | None = None
        self._pieces: list[bytes] = []
        self._queued_bytes = 0
        self._stopped = False
        self._waiter: asyncio.Future[None] | None = None
        self._taker: TakePiece | None = None  # of who reads, while they wait
        self._returned: bytes | None = None  # by the taker
        self._phase = ""
        self._total_ns = started_ns + deadlines.total_ms * _NS
        self.due_ns = self._total_ns
        sweeper.watch(self)

    # Read by whoever sent the request.

    async def head(self) -> None:
        """Wait for the answer's head. Raises UpstreamBroke, UpstreamTimeout. Cancelling it gives the call up."""
        deadlines = self._deadlines
        try:
            while not self.status:
                if self._failure is not None:
                    raise self._failure
                if self._line.sending:
                    await self._wait("idle", deadlines.idle_ms)
                else:
                    await self._wait("first-byte", deadlines.first_byte_ms)
        except asyncio.CancelledError:
            self.abort()
            raise

    async def read(self, take: TakePiece | None = None) -> bytes:
        """See `core.upstream.UpstreamResponse`. What has come is returned at once, joined; an empty queue waits, and of
        more than TURN_BYTES a part is returned after a turn of the event loop. Only what comes during a wait, and is
        neither large nor the last, is given to `take`."""
        while True:
            if self._decoder is not None:
                piece = self._decode()
                if piece:
                    return piece
            elif self._queued_bytes > TURN_BYTES:
                await asyncio.sleep(0)
                if self._queued_bytes > TURN_BYTES:
                    return self._take_part()
            elif self._pieces:
                return self._take()
            if self._failure is not None:
                raise self._failure
            if self._whole:
                return b""
            self._taker = take
            await self._wait("idle", self._deadlines.idle_ms)
            if self._returned is not None:
                returned, self._returned = self._returned, None
                return returned

    def abort(self) -> None:
        self._pieces.clear()
        self._queued_bytes = 0
        self._decoder = None
        if self._whole:  # the connection may serve another call by now
            self._failure = UpstreamBroke("the call was given up")
        self._fail(UpstreamBroke("the call was given up"))

    def release(self) -> None:
        if self._whole or self._failure is not None:
            return
        self._take()
        self._total_ns = self.due_ns = min(self._total_ns, self._clock.ticks_ns() + RELEASED_MS * _NS)

    def expire(self, now_ns: int) -> None:
        """The sweeper found a deadline passed."""
        if now_ns >= self._total_ns:
            seconds = self._deadlines.total_ms / 1000
            self._fail(UpstreamTimeout(f"the call to the provider took longer than {seconds:g} s (total deadline)"))
        elif self._phase == "idle":
            seconds = self._deadlines.idle_ms / 1000
            self._fail(UpstreamTimeout(f"the provider fell silent for {seconds:g} s (idle deadline)"))
        else:
            seconds = self._deadlines.first_byte_ms / 1000
            self._fail(UpstreamTimeout(f"the provider did not answer within {seconds:g} s (first-byte deadline)"))

    async def _wait(self, phase: str, milliseconds: int) -> None:
        assert self._waiter is None, "one reader at a time"
        self._phase = phase
        self.due_ns = min(self._clock.ticks_ns() + milliseconds * _NS, self._total_ns)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = self._taker = None
            self.due_ns = self._total_ns

    def _take(self) -> bytes:
        pieces = self._pieces
        data = b"".join(pieces)
        pieces.clear()
        self._queued_bytes = 0
        if self._stopped:
            self._stopped = False
            self._line.resume()
        return data

    def _take_part(self) -> bytes:
        pieces, size, count = self._pieces, 0, 0
        while size < TURN_BYTES:
            size += len(pieces[count])
            count += 1
        data = b"".join(pieces[:count])
        pieces[:count] = [data[TURN_BYTES:]] if size > TURN_BYTES else []
        self._queued_bytes -= min(size, TURN_BYTES)
        return data[:TURN_BYTES]

    def _decode(self) -> bytes:
        """The next decoded piece; b"" when more input is needed, or there is none."""
        decoder = self._decoder
        assert decoder is not None
        try:
            piece = decoder.pull()
            while not piece and self._pieces:
                decoder.feed(self._take())
                piece = decoder.pull()
            if not piece and self._whole:
                decoder.finish()
        except UpstreamBroke as failure:
            self.abort()
            self._failure = failure
        else:
            return piece
        return b""

    # Called by the connection.

    def feed(self, data: bytes) -> None:
        """Bytes from the provider."""
        if self.silent:
            self.silent = False
            data = self._begin(data)
        parser = self._parser
        if parser is None:
            self._count(data)
        else:
            self._dry_bytes += len(data)
            try:
                parser.parser.feed_data(data)
            except (HttpParserError, HttpParserUpgrade) as error:
                if not self._whole:
                    self._fail(parser.fault(error))
                    return
                self._keep = False  # more came than was asked for
        if self._whole:
            self._finish()
            return
        if self._dry_bytes > HEAD_BYTES_MAX:
            self._fail(UpstreamBroke(f"the provider's answer has more than {HEAD_BYTES_MAX} bytes of headers"))
            return
        if self._queued_bytes > QUEUE_BYTES_MAX and not self._stopped:
            self._stopped = True
            self._line.pause()
        waiter, pieces = self._waiter, self._pieces
        if waiter is None or not pieces or waiter.done():
            return
        take = self._taker
        if take is None or self._decoder is not None or self._queued_bytes > TURN_BYTES:
            waiter.set_result(None)
            return
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._queued_bytes = 0
        self.due_ns = min(self._clock.ticks_ns() + self._deadlines.idle_ms * _NS, self._total_ns)
        try:
            self._returned = take(data)
        except Exception as error:  # guard: it is who reads that failed, and hears of it; the connection did not
            waiter.set_exception(error)
        else:
            if self._returned is not None:
                waiter.set_result(None)

    def _begin(self, data: bytes) -> bytes:
        """Read the head where it is a plain one. Gives what is left to read."""
        plain = None
        if self._has_body:
            plain = read_plain(data, bytes_max=HEAD_BYTES_MAX, headers_max=HEADERS_MAX)
        if plain is None:
            self._parser = AnswerParser(self, has_body=self._has_body)
            return data
        self.status, self.headers, self._left, end = plain
        self.head_ns = self._clock.ticks_ns()
        self._sized = True
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
        return data[end:]

    def _count(self, data: bytes) -> None:
        """A piece of a body whose length is known."""
        if len(data) > self._left:
            data = data[: self._left]
            self._keep = False  # more came than was asked for
        if data:
            self.on_body(data)
        self._left -= len(data)
        self._whole = not self._left

    def ended(self, orderly: bool) -> None:
        """The connection has ended. orderly: by the provider's decision, not by an error on the way."""
        if orderly and self.status and not self._sized:
            self._whole = True
            self._keep = False
            self._finish()
        else:
            when = "before its answer was whole" if self.status else "before it answered"
            self._fail(UpstreamBroke(f"the provider closed the connection {when}"))

    def wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _finish(self) -> None:
        self._stopped = False
        self._parser = None  # parser and stream hold each other
        self._sweeper.watched.discard(self)
        self._line.finished(self._keep)
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _fail(self, failure: Failure) -> None:
        if self._whole or self._failure is not None:
            return
        self._failure = failure
        self._stopped = False
        self._parser = None
        self._sweeper.watched.discard(self)
        self._line.cut()
        self.wake()

    # Called by the parser: see `parsed.ParsedAnswer`.

    def begin(self, status: int, headers: Headers, *, encoding: bytes, sized: bool) -> None:
        self.status, self.headers, self._sized = status, headers, sized
        self.head_ns = self._clock.ticks_ns()
        if encoding:
            self._decoder = Decoder(encoding, self._decoded_bytes_max)
        self.wake()

    def on_body(self, data: bytes) -> None:
        if self._whole:
            raise ValueError("a body where none may be")
        self._dry_bytes = 0
        if not self._begun:
            self._begun = True
            if data[0] == PACKED_BYTE and self._decoder is None and is_packed(data):
                self._decoder = Decoder(b"gzip", self._decoded_bytes_max)
        self._queued_bytes += len(data)
        self._pieces.append(data)

    def end(self, keep: bool) -> None:
        self._keep = keep
        self._whole = True

"""The client: one call out, one answer in. See `core.upstream.Upstream`.

A connection that was kept may have been closed by the provider just as we wrote to it. Then, and only if not one byte
of an answer came, the call is sent once more, over a new connection. Nothing else is ever sent twice here.
"""

import asyncio
from typing import Final

from tollhouse.core.clock import Clock
from tollhouse.core.failure import Defect, UpstreamBroke, UpstreamTimeout, UpstreamUnreachable
from tollhouse.core.upstream import UpstreamRequest
from tollhouse.upstream.connection import UpstreamConnection
from tollhouse.upstream.deadline import Sweeper
from tollhouse.upstream.dial import Dialer
from tollhouse.upstream.pool import PREAMBLE_LINES, Origin, Pool
from tollhouse.upstream.resolve import (
    LAST_GOOD_SECONDS,
    LookUp,
    Resolver,
    system_look_up,
    turns_of_customers,
    turns_of_providers,
)
from tollhouse.upstream.stream import ResponseBody

_FIELD: Final = b"%b: %b\r\n".__mod__
_NEVER_WITHIN: Final = b"\r\n\0"
_BODILESS: Final = frozenset({b"GET", b"HEAD", b"DELETE", b"OPTIONS"})


class UpstreamClient:
    """HTTP/1.1 over pooled connections; belongs to one event loop.

    connections_max and idle_max count per route. decoded_bytes_max bounds what a compressed answer may unpack to.
    look_up resolves names (tests hand in their own). customers: the addresses are theirs and not the operator's, so
    that look-ups are shared out among accounts.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        connections_max: int = 2048,
        idle_max: int = 256,
        idle_seconds: float = 30.0,
        decoded_bytes_max: int = 268_435_456,
        look_up: LookUp = system_look_up,
        customers: bool = False,
    ) -> None:
        self._clock = clock
        self._sweeper = Sweeper(clock)
        self._decoded_bytes_max = decoded_bytes_max
        if customers:
            resolver = Resolver(clock, look_up, turns_of_customers())
        else:
            resolver = Resolver(clock, look_up, turns_of_providers(), last_good_seconds=LAST_GOOD_SECONDS)
        dialer = Dialer(resolver, by_account=customers)
        self._pool = Pool(clock, dialer, open_max=connections_max, idle_max=idle_max, idle_seconds=idle_seconds)

    async def send(self, call: UpstreamRequest) -> ResponseBody:
        """Send a call and wait for the answer's head; the body is read from what comes back.

        Raises UpstreamUnreachable (nothing was sent), UpstreamBroke, UpstreamTimeout; ConnectionsTaken where no
        connection of the route came free in time (nothing was sent); Defect where target or headers would change the
        shape of the request. Cancelling it closes the connection. Waiting in line for one of the
        route's connections counts towards the connect deadline.
        """
        started_ns = self._clock.ticks_ns()
        origin = self._pool.origin(call.route)
        head = _head(call, origin.preamble)
        connection = origin.take(call.account_id) or await self._connect(origin, call)
        stream = self._start(connection, call, head, started_ns)
        try:
            await stream.head()
            return stream
        except UpstreamBroke:
            if not (connection.reused and stream.silent):
                raise
        origin.drop_idle()
        try:
            connection = await self._connect(origin, call)
        except UpstreamUnreachable:
            raise UpstreamBroke("the provider closed a kept connection and cannot be reached again") from None
        stream = self._start(connection, call, head, started_ns)
        await stream.head()
        return stream

    async def close(self) -> None:
        """Cut every connection; a call that still runs ends with UpstreamBroke."""
        await self._pool.close()
        self._sweeper.stop()

    def idle_connections(self) -> int:
        return sum(len(origin.idle) for origin in self._pool.origins())

    def open_connections(self) -> int:
        """Being made, busy or idle."""
        return sum(origin.open for origin in self._pool.origins())

    def waiting_calls(self) -> int:
        """In line for a connection, because their route has as many as it may."""
        return sum(len(line) for origin in self._pool.origins() for line in origin.waiting.values())

    def _start(
        self, connection: UpstreamConnection, call: UpstreamRequest, head: bytes, started_ns: int
    ) -> ResponseBody:
        stream = ResponseBody(
            connection,
            self._clock,
            self._sweeper,
            call.deadlines,
            started_ns=started_ns,
            has_body=call.method != b"HEAD",
            decoded_bytes_max=self._decoded_bytes_max,
        )
        connection.start(stream, head, call.body, call.upload or call.rest)
        return stream

    async def _connect(self, origin: Origin, call: UpstreamRequest) -> UpstreamConnection:
        deadlines = call.deadlines
        milliseconds = min(deadlines.connect_ms, deadlines.total_ms)
        try:
            async with asyncio.timeout(milliseconds / 1000) as limit:
                return await origin.acquire(call.account_id, limit.when() or 0.0)
        except TimeoutError:
            which = "connect" if milliseconds == deadlines.connect_ms else "total"
            raise UpstreamTimeout(
                f"no connection to the provider within {milliseconds / 1000:g} s ({which} deadline)"
            ) from None


def _head(call: UpstreamRequest, preamble: bytes) -> bytes:
    """The request's head. What could begin a line is counted, so that no value can bring one of its own."""
    lines = [call.method, b" ", call.target, preamble]
    lines += map(_FIELD, call.headers)
    if call.body or call.method not in _BODILESS:
        lines.append(b"content-length: %d\r\n" % (call.length() if call.rest or call.upload else len(call.body)))
    lines.append(b"\r\n")
    head = b"".join(lines)
    ends = 2 * (PREAMBLE_LINES + len(lines) - 4)
    if len(head) - len(head.translate(None, _NEVER_WITHIN)) != ends:
        raise Defect("a header or the target of a call to a provider holds a line break or a NUL")
    if not call.target.startswith(b"/") or b" " in call.target:
        raise Defect("the target of a call to a provider must begin with a slash and hold no blank")
    return head

"""Connections that stay open between requests, by route.

The whole route is the key, with its CA file, its proxy and what it allows: a connection opened under one rule is never
lent to another. Per route there are at most `open_max` connections, those being made included; whoever comes then waits
in line and is served in order. At most `idle_max` wait unused, the youngest is taken first, and after `idle_seconds`
unused one is closed.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from tollhouse.core.clock import Clock
from tollhouse.core.wire import Route
from tollhouse.upstream.connection import Connection
from tollhouse.upstream.dial import Dialer, authority

PREAMBLE_LINES: Final = 3


class Pool:
    def __init__(self, clock: Clock, dialer: Dialer, *, open_max: int, idle_max: int, idle_seconds: float) -> None:
        self.clock = clock
        self.dialer = dialer
        self.open_max = open_max
        self.idle_max = idle_max
        self._idle_ns = int(idle_seconds * 1e9)
        self._sweep_seconds = idle_seconds / 4
        self._origins: dict[Route, Origin] = {}
        self._timer: asyncio.TimerHandle | None = None

    def origin(self, route: Route) -> "Origin":
        found = self._origins.get(route)
        if found is None:
            found = self._origins[route] = Origin(self, route)
        return found

    def origins(self) -> Iterator["Origin"]:
        yield from self._origins.values()

    def expect_expiry(self) -> None:
        """Some connection has gone idle: look after it later."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._sweep_seconds, self._expire)

    async def close(self) -> None:
        """Cut every connection, busy or idle; returns when their sockets are closed."""
        if self._timer is not None:
            self._timer.cancel()
        closing = [origin.close() for origin in self._origins.values()]
        for done in closing:
            await done

    def _expire(self) -> None:
        self._timer = None
        before_ns = self.clock.ticks_ns() - self._idle_ns
        for route, origin in list(self._origins.items()):
            origin.expire(before_ns)
            if not origin.open and not origin.waiting:
                del self._origins[route]
        if any(origin.idle for origin in self._origins.values()):
            self.expect_expiry()


class Origin:
    """The connections of one route, whose `Owner` it is.

    open: being made, busy or idle. preamble: what follows method and target in every request, PREAMBLE_LINES line ends.
    """

    __slots__ = ("_alive", "_emptied", "_pool", "idle", "open", "preamble", "route", "waiting")

    def __init__(self, pool: Pool, route: Route) -> None:
        self._pool = pool
        self.route = route
        self.preamble = f" HTTP/1.1\r\nhost: {authority(route)}\r\naccept-encoding: identity\r\n".encode()
        self.open = 0
        self.idle: deque[Connection] = deque()
        self.waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._alive: set[Connection] = set()  # sockets not yet closed
        self._emptied: asyncio.Future[None] | None = None

    def take(self) -> Connection | None:
        """An idle connection, without waiting."""
        return self.idle.pop() if self.idle else None

    async def acquire(self, until: float) -> Connection:
        """An idle connection, a new one, or the next that comes free, by `until` (loop time).

        Raises UpstreamUnreachable and TimeoutError as `Dialer.dial` does. The caller bounds the wait in line.
        """
        if self.idle:
            return self.idle.pop()
        if self.open >= self._pool.open_max:
            connection = await self._turn()
            if connection is not None:
                return connection
        else:
            self.open += 1
        made = None
        try:
            made = await self._pool.dialer.dial(self.route, self, until)
            return made
        finally:
            if made is None or made.closed:
                self._free()
            else:
                self._alive.add(made)

    async def _turn(self) -> Connection | None:
        """Wait in line: for a connection, or (None) for the right to open one."""
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self.waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with suppress(ValueError):
                    self.waiting.remove(turn)
            elif (given := turn.result()) is None:
                self._free()
            elif not given.closed:
                self.ready(given)
            raise

    def drop_idle(self) -> None:
        """One kept connection was found closed: the others of its age are likely closed too."""
        for connection in list(self.idle):
            connection.cut()

    def expire(self, before_ns: int) -> None:
        while self.idle and self.idle[0].idle_since_ns <= before_ns:
            self.idle[0].cut()

    async def close(self) -> None:
        for connection in list(self._alive):
            connection.cut()
        if self._alive:
            self._emptied = asyncio.get_running_loop().create_future()
            await self._emptied

    def ready(self, connection: Connection) -> None:
        """See connection.Owner: it may carry the next request."""
        if self._hand_over(connection):
            return
        connection.idle_since_ns = self._pool.clock.ticks_ns()
        self.idle.append(connection)
        if len(self.idle) > self._pool.idle_max:
            self.idle[0].cut()
        self._pool.expect_expiry()

    def forget(self, connection: Connection) -> None:
        """See connection.Owner: it is closed; its place is free."""
        with suppress(ValueError):
            self.idle.remove(connection)
        if connection in self._alive:
            self._free()

    def gone(self, connection: Connection) -> None:
        """See connection.Owner: its socket is closed."""
        self._alive.discard(connection)
        if not self._alive and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    def _free(self) -> None:
        """A place is free: it passes to who waits longest."""
        if not self._hand_over(None):
            self.open -= 1

    def _hand_over(self, connection: Connection | None) -> bool:
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return True
        return False

"""Connections that stay open between requests, by route.

The whole route is the key, with its CA file, its proxy and what it allows: a connection opened under one rule is never
lent to another. Per route there are at most `open_max` connections, those being made included. At most `idle_max` wait
unused, the youngest is taken first, and after `idle_seconds` unused one is closed.

One account may use at most SHARE times as many connections as are not in use, so that there is always room for another:
alone three quarters of all, two accounts three sevenths each. Whoever may not have one waits in line. What comes free
goes to the account that uses the fewest; within an account, to who came first.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from tollhouse.core.clock import Clock
from tollhouse.core.failure import ConnectionsTaken
from tollhouse.core.upstream import UpstreamRoute
from tollhouse.upstream.connection import UpstreamConnection
from tollhouse.upstream.dial import Dialer, authority

PREAMBLE_LINES: Final = 3
SHARE: Final = 3
_TIMER_SECONDS: Final = 0.002  # a loop's timer may fire so much early: uvloop counts whole milliseconds


class Pool:
    def __init__(self, clock: Clock, dialer: Dialer, *, open_max: int, idle_max: int, idle_seconds: float) -> None:
        self.clock = clock
        self.dialer = dialer
        self.open_max = open_max
        self.idle_max = idle_max
        self._idle_ns = int(idle_seconds * 1e9)
        self._sweep_seconds = idle_seconds / 4
        self._origins: dict[UpstreamRoute, Origin] = {}
        self.timer: asyncio.TimerHandle | None = None

    def origin(self, route: UpstreamRoute) -> "Origin":
        found = self._origins.get(route)
        if found is None:
            found = self._origins[route] = Origin(self, route)
        return found

    def origins(self) -> Iterator["Origin"]:
        yield from self._origins.values()

    def expect_expiry(self) -> None:
        """Some connection has gone idle, or a route has none any more: look after it later."""
        if self.timer is None:
            self.timer = asyncio.get_running_loop().call_later(self._sweep_seconds, self._expire)

    async def close(self) -> None:
        """Cut every connection, busy or idle; returns when their sockets are closed."""
        if self.timer is not None:
            self.timer.cancel()
        closing = [origin.close() for origin in self._origins.values()]
        for done in closing:
            await done

    def _expire(self) -> None:
        self.timer = None
        before_ns = self.clock.ticks_ns() - self._idle_ns
        for route, origin in list(self._origins.items()):
            origin.expire(before_ns)
            if not origin.open and not origin.waiting:
                del self._origins[route]
        if any(origin.idle or not origin.open for origin in self._origins.values()):
            self.expect_expiry()


class Origin:
    """The connections of one route, whose `Owner` it is.

    open: being made, busy or idle. preamble: what follows method and target in every request, PREAMBLE_LINES line ends.
    """

    __slots__ = ("_alive", "_emptied", "_pool", "idle", "open", "preamble", "route", "used", "waiting")

    def __init__(self, pool: Pool, route: UpstreamRoute) -> None:
        self._pool = pool
        self.route = route
        self.preamble = f" HTTP/1.1\r\nhost: {authority(route)}\r\naccept-encoding: identity\r\n".encode()
        self.open = 0
        self.idle: deque[UpstreamConnection] = deque()
        self.used: dict[str, int] = {}  # by account: connections that are made for it or carry its calls
        self.waiting: dict[str, deque[asyncio.Future[UpstreamConnection | None]]] = {}  # by account
        self._alive: set[UpstreamConnection] = set()  # sockets not yet closed
        self._emptied: asyncio.Future[None] | None = None

    def take(self, account_id: str) -> UpstreamConnection | None:
        """An idle connection, without waiting."""
        used, idle = self.used.get(account_id, 0), self.idle
        if not idle or used >= SHARE * (self._pool.open_max - self.open + len(idle)):
            return None
        connection = idle.pop()
        connection.account_id = account_id
        self.used[account_id] = used + 1
        return connection

    async def acquire(self, account_id: str, until: float) -> UpstreamConnection:
        """An idle connection, a new one, or the next that comes free, by `until` (loop time).

        Raises UpstreamUnreachable and TimeoutError as `Dialer.dial` does; ConnectionsTaken for who waited in line until
        then. The caller bounds the wait.
        """
        if self._may(account_id):
            connection = self.take(account_id)
            if connection is None:
                self.open += 1
                self.used[account_id] = self.used.get(account_id, 0) + 1
        else:
            connection = await self._turn(account_id, until)
        if connection is not None:
            return connection
        made = None
        try:
            made = await self._pool.dialer.dial(self.route, self, until, account_id)
            made.account_id = account_id
            return made
        finally:
            if made is None or made.closed:
                self._free(account_id)
            else:
                self._alive.add(made)

    def _may(self, account_id: str) -> bool:
        free = self._pool.open_max - self.open + len(self.idle)
        return self.used.get(account_id, 0) < SHARE * free

    async def _turn(self, account_id: str, until: float) -> UpstreamConnection | None:
        """Wait in line: for a connection, or (None) for the right to open one."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[UpstreamConnection | None] = loop.create_future()
        self.waiting.setdefault(account_id, deque()).append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._leave(account_id, turn)
                if loop.time() >= until - _TIMER_SECONDS:
                    raise ConnectionsTaken(
                        "all connections to the provider that one account may use are in use: try again",
                        retry_after_ms=1_000,
                    ) from None
            elif (given := turn.result()) is None:
                self._free(account_id)
            elif not given.closed:
                self.ready(given)
            raise

    def _leave(self, account_id: str, turn: "asyncio.Future[UpstreamConnection | None]") -> None:
        line = self.waiting.get(account_id)
        if line is not None:
            with suppress(ValueError):
                line.remove(turn)
            if not line:
                del self.waiting[account_id]

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

    def ready(self, connection: UpstreamConnection) -> None:
        """See connection.Owner: it may carry the next request."""
        account_id, connection.account_id = connection.account_id, None
        if account_id is not None:
            self._count_off(account_id)
        connection.idle_since_ns = self._pool.clock.ticks_ns()
        self.idle.append(connection)
        if self.waiting:
            self._serve()
        if len(self.idle) > self._pool.idle_max:
            self.idle[0].cut()
        if self._pool.timer is None:
            self._pool.expect_expiry()

    def forget(self, connection: UpstreamConnection) -> None:
        """See connection.Owner: it is closed; its place is free."""
        with suppress(ValueError):
            self.idle.remove(connection)
        if connection in self._alive:
            account_id, connection.account_id = connection.account_id, None
            if account_id is not None:
                self._count_off(account_id)
            self._left()

    def gone(self, connection: UpstreamConnection) -> None:
        """See connection.Owner: its socket is closed."""
        self._alive.discard(connection)
        if not self._alive and self._emptied is not None and not self._emptied.done():
            self._emptied.set_result(None)

    def _free(self, account_id: str) -> None:
        """A connection was not made after all."""
        self._count_off(account_id)
        self._left()

    def _left(self) -> None:
        """A place is free."""
        self.open -= 1
        if self.waiting:
            self._serve()
        elif not self.open:
            self._pool.expect_expiry()

    def _count_off(self, account_id: str) -> None:
        left = self.used[account_id] - 1
        if left:
            self.used[account_id] = left
        else:
            del self.used[account_id]

    def _serve(self) -> None:
        """Give what is free to those who wait and may have it."""
        while able := [account_id for account_id in self.waiting if self._may(account_id)]:
            account_id = min(able, key=lambda one: self.used.get(one, 0))
            turn = self.waiting[account_id].popleft()
            if not self.waiting[account_id]:
                del self.waiting[account_id]
            if turn.done():
                continue
            connection = self.idle.pop() if self.idle else None
            if connection is None:
                self.open += 1
            else:
                connection.account_id = account_id
            self.used[account_id] = self.used.get(account_id, 0) + 1
            turn.set_result(connection)

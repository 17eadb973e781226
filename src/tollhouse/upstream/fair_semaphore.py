"""Turns: how many of a kind may run at once, in all and of one account, and who comes next.

Whoever finds no room waits. The account that has the least running comes first; of one account, who came first.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairSemaphore:
    """At most `in_all` at once, and `each` of one account. Belongs to one event loop."""

    def __init__(self, in_all: int, each: int) -> None:
        self._in_all = in_all
        self._each = each
        self._running: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @property
    def running(self) -> int:
        return self._running.total()

    @property
    def waiting(self) -> int:
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, account_id: str) -> AsyncIterator[None]:
        """Wait for room, and keep it to the end of the block."""
        if self._may(account_id):
            self._running[account_id] += 1
        else:
            await self._in_line(account_id)
        try:
            yield
        finally:
            self._end(account_id)

    def _may(self, account_id: str) -> bool:
        return self.running < self._in_all and self._running[account_id] < self._each

    async def _in_line(self, account_id: str) -> None:
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account_id, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():
                self._end(account_id)  # the turn came just as they left
            else:
                self._leave(account_id, place)
            raise

    def _leave(self, account_id: str, place: asyncio.Future[None]) -> None:
        """Out of the line, if a turn that came meanwhile has not passed over the place already."""
        line = self._waiting.get(account_id)
        if line is not None and place in line:
            line.remove(place)
            if not line:
                del self._waiting[account_id]

    def _end(self, account_id: str) -> None:
        self._running[account_id] -= 1
        if not self._running[account_id]:
            del self._running[account_id]
        while (next_id := self._next()) is not None:
            line = self._waiting[next_id]
            place = line.popleft()
            if not line:
                del self._waiting[next_id]
            if not place.done():
                self._running[next_id] += 1
                place.set_result(None)

    def _next(self) -> str | None:
        able = [account_id for account_id in self._waiting if self._may(account_id)]
        return min(able, key=lambda account_id: self._running[account_id], default=None)

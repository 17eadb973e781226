"""One sweeper for all calls: a timer per call would cost more than the call's own bookkeeping.

A call carries the moment it is due as a plain field; the sweeper looks at all of them every tick, and only while there
are any. Deadlines are therefore kept to within one tick (100 ms), never early.
"""

import asyncio
from typing import Final, Protocol

from tollhouse.core.clock import Clock

TICK_SECONDS: Final = 0.1
_AWAY_NS: Final = 500_000_000


class Watched(Protocol):
    due_ns: int  # on the clock's ticks

    def expire(self, now_ns: int) -> None:
        """The moment has passed. Called once per sweep until the call is released or due later."""
        ...


class Sweeper:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.watched: set[Watched] = set()  # a call takes itself out
        self._timer: asyncio.TimerHandle | None = None
        self._swept_ns = 0

    def watch(self, call: Watched) -> None:
        self.watched.add(call)
        if self._timer is None:
            self._swept_ns = self._clock.ticks_ns()
            self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self.sweep)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def sweep(self) -> None:
        self._timer = None
        if not self.watched:
            return
        now_ns = self._clock.ticks_ns()
        # A loop that was away has not yet read what came meanwhile: the first sweep after that judges nobody.
        if now_ns - self._swept_ns < _AWAY_NS:
            for call in [call for call in self.watched if call.due_ns <= now_ns]:
                call.expire(now_ns)
        self._swept_ns = now_ns
        self._timer = asyncio.get_running_loop().call_later(TICK_SECONDS, self.sweep)

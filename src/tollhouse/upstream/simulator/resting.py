"""Threads that rest: large simulated answers take a bounded part of the processor, however many are asked for."""

from collections.abc import Callable
from typing import Final, TypeVar

from tollhouse.core.clock import Clock
from tollhouse.core.workers import WorkerThreads

T = TypeVar("T")

REST: Final = 3
"""How many times as long as it worked a thread rests: each uses at most a quarter of one core."""


class Resting:
    """See `core.workers.WorkerThreads`. `pause` holds up the thread it is called in for so many seconds."""

    def __init__(self, threads: WorkerThreads, clock: Clock, pause: Callable[[float], None]) -> None:
        self._threads = threads
        self._clock = clock
        self._pause = pause

    async def run(self, account_id: str, work: Callable[[], T]) -> T:
        """Also the caller waits for the rest: whoever asks for much is answered later."""
        return await self._threads.run(account_id, lambda: self._rested(work))

    def _rested(self, work: Callable[[], T]) -> T:
        begun_ns = self._clock.ticks_ns()
        try:
            return work()
        finally:
            self._pause(REST * (self._clock.ticks_ns() - begun_ns) / 1e9)

"""When Python looks for dead objects that refer to each other, and at how many objects it looks then.

A call and its connection leave no such cycles: they are freed as soon as nobody refers to them. What leaves some (the
control API, failures that keep their tracebacks) is looked at once a second while it is young; what is alive of it is
frozen, and not looked at again. Else each look would visit every open connection: 20 ms where there are 2,000.
Cycles that died after they were frozen are looked for once an hour, in a moment without a call; a busy process does it
once a day all the same.
"""

import gc
from collections.abc import Awaitable, Callable
from typing import Final

from tollhouse.core.clock import Clock

YOUNG_MAX: Final = 5_000
"""Objects that came and stayed since the last look; with more of them Python looks at once, for 2 ms."""
SELDOM: Final = 1_000
LOOK_SECONDS: Final = 1.0
QUIET_NS: Final = 3_600 * 1_000_000_000
BUSY_NS: Final = 24 * QUIET_NS


class Collector:
    """Looks once when it is made, which takes its time, and then whenever `look` is called."""

    __slots__ = ("_clock", "_is_idle", "_whole_ns")

    def __init__(self, clock: Clock, is_idle: Callable[[], bool]) -> None:
        """is_idle: whether no call is under way."""
        self._clock = clock
        self._is_idle = is_idle
        self._whole_ns = clock.ticks_ns()  # when all objects were last looked at
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG_MAX, SELDOM, SELDOM)

    async def run(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Never returns."""
        while True:
            await sleep(LOOK_SECONDS)
            self.look()

    def look(self) -> None:
        now_ns = self._clock.ticks_ns()
        since_ns = now_ns - self._whole_ns
        if since_ns >= BUSY_NS or (since_ns >= QUIET_NS and self._is_idle()):
            self._whole_ns = now_ns
            gc.unfreeze()
            gc.collect()
        else:
            gc.collect(0)
        gc.freeze()

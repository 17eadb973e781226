"""An event loop for tests of long waits: its clock runs ahead as soon as all that is left to do is to wait."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _SkippingSelector(selectors.DefaultSelector):
    """Never sleeps: time that would have been slept through has passed."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready:
            assert timeout is not None, "everybody waits, and nobody will wake them"
            self.passed += timeout
        return ready


class FastForwardLoop(asyncio.SelectorEventLoop):
    """Its `time()` begins at 0 and counts seconds that nobody waited for."""

    def __init__(self) -> None:
        self._impatient = _SkippingSelector()
        super().__init__(self._impatient)

    def time(self) -> float:
        return self._impatient.passed


def run_hastily(main: Coroutine[Any, Any, None]) -> float:
    """Run it; the seconds it took by the loop's clock."""
    with asyncio.Runner(loop_factory=FastForwardLoop) as runner:
        runner.run(main)
        return runner.get_loop().time()

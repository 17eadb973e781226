"""The real clock and the real source of randomness: the only file that reads either from the operating system."""

import os
import time


class SystemClock:
    """See `core.clock.Clock`."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    ticks_ns = staticmethod(time.monotonic_ns)  # asked several times a call: no frame of ours around it


class SystemRandom:
    """Cryptographic random bytes, drawn from the system in blocks because one draw per id costs more than the id."""

    _BLOCK = 4096

    def __init__(self) -> None:
        self._block = b""
        self._at = 0

    def bytes(self, count: int) -> bytes:
        if self._at + count > len(self._block):
            self._block = os.urandom(max(self._BLOCK, count))
            self._at = 0
        at = self._at
        self._at = at + count
        return self._block[at : self._at]


pause = time.sleep
"""Hold up the thread it is called in, never the one of the event loop."""

"""What a clock is. The real one stands in `tollhouse/clock.py`; tests hand in their own."""

from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """Wall time: milliseconds since 1970-01-01T00:00Z. It may jump; use it for what people read and for expiry."""
        ...

    def ticks_ns(self) -> int:
        """Monotonic nanoseconds from an arbitrary origin; use it for durations."""
        ...

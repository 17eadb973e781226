"""The clock of tests: it stands still until a test moves it."""

from typing import Final

NOW_MS: Final = 1_790_000_000_000


class SettableClock:
    """Wall time and ticks are one: `ms` is both."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms

    def ticks_ns(self) -> int:
        return self.ms * 1_000_000

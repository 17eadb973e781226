"""How quickly refusals, and answers that need no key, are given to one client address; and to one account what it asks
about itself, which no limit stands before.

Each costs its sender nothing, and this platform a fraction of a millisecond. Whoever asks for more of them than
PER_SECOND has the answers delayed, one after the other, so that a flood of them takes a small part of the event loop.
Calls that are let in are never delayed.
"""

from typing import Final

from tollhouse.limits.addresses import network_of

PER_SECOND: Final = 1_000
BURST: Final = 2_000
DELAY_MS_MAX: Final = 2_000  # whoever has many connections waits on each of them
ADDRESSES_MAX: Final = 100_000  # beyond it all are forgotten


class RefusalPace:
    """By address (IPv6: by /64), or by account: when the next such answer is due, in microseconds."""

    __slots__ = ("_due_us",)

    def __init__(self) -> None:
        self._due_us: dict[str, int] = {}

    def delay_ms(self, address: str, now_ms: int, weight: int = 1) -> int:
        """Count an answer. Returns the milliseconds after which it may be given. A text that is no address (a socket
        file) is nobody's. weight: as many refusals it costs."""
        network = network_of(address)
        return 0 if network is None else self._delay_ms(network, now_ms, weight)

    def account_delay_ms(self, account_id: str, now_ms: int, weight: int) -> int:
        """The same of an answer to an account about itself."""
        return self._delay_ms(account_id, now_ms, weight)

    def _delay_ms(self, whose: str, now_ms: int, weight: int) -> int:
        interval_us, now_us = 1_000_000 // PER_SECOND, now_ms * 1_000
        due_us = max(self._due_us.get(whose, 0), now_us - BURST * interval_us) + weight * interval_us
        if due_us > now_us + DELAY_MS_MAX * 1_000:  # the clock was set back, or there are very many
            due_us = now_us + DELAY_MS_MAX * 1_000
        if len(self._due_us) >= ADDRESSES_MAX:
            self._due_us.clear()
        self._due_us[whose] = due_us
        return max(0, due_us - now_us) // 1_000

    def sweep(self, now_ms: int) -> None:
        """Drop who was given nothing lately."""
        before_us = (now_ms - BURST * 1_000 // PER_SECOND) * 1_000
        self._due_us = {whose: due_us for whose, due_us in self._due_us.items() if due_us > before_us}

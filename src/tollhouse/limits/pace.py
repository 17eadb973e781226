"""How quickly refusals are answered to one client address.

A refusal costs its sender nothing, and this platform a fraction of a millisecond. Whoever is refused more often than
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
    """By address (IPv6: by /64): when the next refusal is due, in microseconds."""

    __slots__ = ("_due_us",)

    def __init__(self) -> None:
        self._due_us: dict[str, int] = {}

    def delay_ms(self, address: str, now_ms: int) -> int:
        """Count a refusal. Returns the milliseconds after which it may be answered. A text that is no address (a socket
        file) is nobody's."""
        network = network_of(address)
        if network is None:
            return 0
        interval_us, now_us = 1_000_000 // PER_SECOND, now_ms * 1_000
        due_us = max(self._due_us.get(network, 0), now_us - BURST * interval_us) + interval_us
        if due_us > now_us + DELAY_MS_MAX * 1_000:  # the clock was set back, or there are very many
            due_us = now_us + DELAY_MS_MAX * 1_000
        if len(self._due_us) >= ADDRESSES_MAX:
            self._due_us.clear()
        self._due_us[network] = due_us
        return max(0, due_us - now_us) // 1_000

    def sweep(self, now_ms: int) -> None:
        """Drop addresses that were not refused anything lately."""
        before_us = (now_ms - BURST * 1_000 // PER_SECOND) * 1_000
        self._due_us = {network: due_us for network, due_us in self._due_us.items() if due_us > before_us}

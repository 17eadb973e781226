"""How many calls go through although a circuit is open to all: a bounded rate in all, as Envoy's panic threshold.

An open circuit is a guess, and who opened it may be hostile. So accounts that have met no failure are let through, not
faster than a provider that is down should see; the first of them that is answered closes the circuit.
"""

from typing import Final

KNOWN_BURST: Final = 100  # accounts that were served before; each of them is out after its own five failures
KNOWN_PER_SECOND: Final = 20
STRANGERS_BURST: Final = 20
STRANGERS_PER_SECOND: Final = 5

_MILLI: Final = 1_000  # allowances count thousandths of a call


class Allowance:
    """Calls per second, with a burst."""

    __slots__ = ("_at_ms", "_burst", "_left", "_per_second")

    def __init__(self, burst: int, per_second: int) -> None:
        self._burst = burst * _MILLI
        self._per_second = per_second
        self._left = self._burst
        self._at_ms = 0

    def any(self, now_ms: int) -> bool:
        """Whether a call may go through now. Asking takes nothing."""
        return self._now(now_ms) >= _MILLI

    def take(self, now_ms: int) -> None:
        """A call goes through. Calls that asked at the same moment may take more than there is; the debt is bounded by
        how many run at once, and is paid back before the next one goes."""
        self._left = self._now(now_ms) - _MILLI
        self._at_ms = max(self._at_ms, now_ms)

    def _now(self, now_ms: int) -> int:
        return min(self._left + max(0, now_ms - self._at_ms) * self._per_second, self._burst)

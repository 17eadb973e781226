"""One circuit breaker: closed, open until a time, half open while a probe may run.

    closed --- opens ---> open(until, why) --- until has passed ---> half open --- probe succeeds ---> closed
                            ^------------------ probe fails (twice as long) ---------'

| cause     | opens after                                                  | for                            |
|-----------|--------------------------------------------------------------|--------------------------------|
| failing   | 5 failures in a row, or half of the last 20; 30 s without    | 5 s, then twice that, to 120 s |
|           | failure begin anew                                           |                                |
| refused   | 1                                                            | 10 s, twice ... 300 s          |
| saturated | 3 in a row; at once where the provider said when to return   | 1 s, twice ... 30 s; as asked, |
|           |                                                              | 300 s at most                  |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from msgspec import Struct

Cause = Literal["failing", "refused", "saturated"]
State = Literal["closed", "open", "half_open"]

WINDOW: Final = 20  # outcomes that are remembered
WINDOW_FAILURES_MAX: Final = 10  # so many among them open the circuit
QUIET_MS: Final = 30_000  # failures further apart do not belong together
PROBE_MS: Final = 10_000  # a probe that has not reported by then does not keep the next one waiting
STEADY_MS: Final = 60_000  # closed for so long: the next opening is short again
RETRY_AFTER_MAX_MS: Final = 300_000  # what a provider asks beyond that is tried once in a while all the same
FORGET_MS: Final = 360_000  # longer than any opening: nothing that happened so long ago matters
_MASK: Final = (1 << WINDOW) - 1


class _Rule(Struct, frozen=True):
    streak_max: int  # failures in a row
    base_ms: int
    cap_ms: int


_RULES: Mapping[Cause, _Rule] = {
    "failing": _Rule(5, 5_000, 120_000),
    "refused": _Rule(1, 10_000, 300_000),
    "saturated": _Rule(3, 1_000, 30_000),
}


@dataclass(slots=True)
class Circuit:
    """Times are Unix milliseconds."""

    cause: Cause
    history: int = 0  # the last outcomes as bits, newest lowest; 1 is a failure
    streak: int = 0
    until_ms: int = 0  # 0: closed
    opened_ms: int = 0
    asked: bool = False  # the provider said itself until when
    probing: bool = False
    level: int = 0  # how often it opened without being steady in between
    changed_ms: int = 0  # last failure, or when it closed

    def state(self, now_ms: int) -> State:
        if self.until_ms == 0:
            return "closed"
        return "open" if now_ms < self.until_ms else "half_open"

    def failed_lately(self, now_ms: int) -> bool:
        return self.history != 0 and now_ms - self.changed_ms <= QUIET_MS

    def forgettable(self, now_ms: int) -> bool:
        return now_ms >= self.until_ms and now_ms - self.changed_ms > FORGET_MS

    def begin(self, now_ms: int) -> None:
        """A call goes through. If the circuit is half open, the call is the probe: others wait until it reports."""
        if self.state(now_ms) == "half_open":
            self.probing = True
            self.until_ms = now_ms + PROBE_MS

    def half_open(self, now_ms: int) -> None:
        """End the wait: the next call may be the probe."""
        self.probing = False
        self.until_ms = now_ms
        self.changed_ms = max(self.changed_ms, now_ms)

    def release_probe(self, now_ms: int) -> None:
        """The probe ended with an outcome that says nothing about this circuit: the next call may be the probe."""
        if self.probing:
            self.probing = False
            self.until_ms = now_ms

    def succeed(self, began_ms: int, now_ms: int) -> bool:
        """A call that began then was answered well. Returns whether that closed the circuit. A late success of a call
        that began before the opening closes nothing."""
        if self.until_ms == 0:
            self.history = self.history << 1 & _MASK
            self.streak = 0
            return False
        if began_ms < self.opened_ms:
            return False
        self.until_ms = self.history = self.streak = 0
        self.probing = False
        self.changed_ms = now_ms
        return True

    def fail(self, cause: Cause, retry_after_ms: int | None, now_ms: int) -> bool:
        """Note a failure. Returns whether the circuit should open now; `open` is the caller's to say."""
        was_half_open = self.probing or self.state(now_ms) == "half_open"
        if self.until_ms and not was_half_open:
            if retry_after_ms is not None:  # a call that was under way brings a longer wait
                self.until_ms = max(self.until_ms, now_ms + min(retry_after_ms, RETRY_AFTER_MAX_MS))
                self.asked = True
            return False
        quiet_ms = now_ms - self.changed_ms
        if quiet_ms > QUIET_MS:
            self.history = self.streak = 0
        if not was_half_open and quiet_ms > STEADY_MS:
            self.level = 0
        self.cause = cause
        self.history = (self.history << 1 | 1) & _MASK
        self.streak += 1
        self.changed_ms = now_ms
        return (
            was_half_open
            or retry_after_ms is not None
            or self.streak >= _RULES[cause].streak_max
            or self.history.bit_count() >= WINDOW_FAILURES_MAX
        )

    def open(self, retry_after_ms: int | None, now_ms: int, jitter: float) -> None:
        """`jitter` in [0, 1) spreads openings by +-20 %, so that processes do not probe at once."""
        rule = _RULES[self.cause]
        if retry_after_ms is None:
            open_ms = int(min(rule.base_ms << min(self.level, 16), rule.cap_ms) * (0.8 + 0.4 * jitter))
            self.level += 1
        else:  # never sooner than asked
            open_ms = min(retry_after_ms, RETRY_AFTER_MAX_MS)
        self.asked = retry_after_ms is not None
        self.probing = False
        self.opened_ms = now_ms
        self.until_ms = now_ms + max(open_ms, 1)

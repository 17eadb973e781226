"""When a failed attempt may be followed by another one, and how many of those the whole process allows itself.

Retries help against one bad provider and hurt when everything is down: they multiply the load. Hence a budget: each
call earns a tenth of a retry, each retry costs one, so that in a long outage attempts stay below 1.1 times the calls
(plus the reserve, once, and one retry a second so that a quiet platform fails over too).
"""

from collections.abc import Sequence
from typing import Final

from tollhouse.core.failure import Failure, UpstreamUnreachable
from tollhouse.routing.choice import Choice
from tollhouse.routing.health import Blame

ATTEMPTS_MAX: Final = 4

BACKOFF_BASE_MS: Final = 50
BACKOFF_MAX_MS: Final = 2_000

_MILLI: Final = 1_000  # the budget counts thousandths of a retry


def elsewhere(failure: Failure, blame: Blame) -> bool:
    """Whether another offer or key may do better. Only before the first byte of an answer has gone to the caller."""
    return blame in ("key", "offer")


def again(failure: Failure, attempts: int) -> bool:
    """Whether the same place may be asked once more when no other is left: only if nothing was sent, since a provider
    that read the call may charge for it twice; and once. Callers' SDKs retry the rest, knowing what a repeat costs."""
    return isinstance(failure, UpstreamUnreachable) and attempts < 2


def following(choices: Sequence[Choice], at: int, blame: Blame) -> int | None:
    """The index to try after `choices[at]` failed, or None.

    After a key's fault the offer's next key is next; after an offer's own fault another key would only fail again.
    """
    for place in range(at + 1, len(choices)):
        if blame == "key" or choices[place].offer != choices[at].offer:
            return place
    return None


def backoff_ms(attempts: int, random: float) -> int:
    """How long to wait before asking the same place again, after so many attempts: doubling, the upper half drawn by
    lot (`random` in [0, 1)) so that callers who failed together do not return together."""
    most = min(BACKOFF_BASE_MS << min(max(attempts - 1, 0), 16), BACKOFF_MAX_MS)
    return int(most * (0.5 + 0.5 * random))


class RetryBudget:
    """The retries the process may still make. One for all models: an outage rarely stops at one."""

    __slots__ = ("_at_ms", "_floor", "_left", "_ratio", "_reserve")

    def __init__(self, *, ratio: float = 0.1, floor_per_second: float = 1.0, reserve: int = 100) -> None:
        """`ratio`: retries earned by a call. `reserve`: the most that can be saved up, and what there is at first."""
        self._ratio = int(ratio * _MILLI)
        self._floor = int(floor_per_second * _MILLI)
        self._reserve = reserve * _MILLI
        self._left = self._reserve
        self._at_ms: int | None = None

    def deposit(self) -> None:
        """A call begins."""
        self._left = min(self._left + self._ratio, self._reserve)

    def withdraw(self, now_ms: int) -> bool:
        """Take one retry; False: none is left, and the failure goes to the caller."""
        if self._at_ms is None:
            self._at_ms = now_ms
        earned = (now_ms - self._at_ms) * self._floor // 1_000
        if earned > 0:
            self._left = min(self._left + earned, self._reserve)
            self._at_ms = now_ms
        if self._left < _MILLI:
            return False
        self._left -= _MILLI
        return True

    def left(self) -> int:
        """Whole retries left, for metrics."""
        return self._left // _MILLI

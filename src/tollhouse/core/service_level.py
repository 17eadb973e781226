"""How a model served its callers over some time: sums that add up, of calls that say something about it.

A call says something where it was answered, or failed by the provider or by this platform. What a caller did wrong, a
limit of their own, a caller who left, and test mode say nothing.
"""

from bisect import bisect_left
from math import ceil
from typing import Final, Literal

from msgspec import Struct, field

from tollhouse.core.roll_up import DAY_MS, QUARTER_MS
from tollhouse.core.usage_record import UsageRecord

FAILURES: Final = frozenset(("upstream_error", "upstream_timeout", "overloaded", "server_error"))
_SATURATED: Final = "rate_limit_exceeded"
BOUNDS_MS: Final = tuple(sorted({round(2 ** (step / 8)) for step in range(8 * 20 + 1)}))
"""The upper bounds of a histogram's bins: each some 9 % above the one before, whole milliseconds, up to 17 min."""
_LAST: Final = len(BOUNDS_MS) - 1

WindowName = Literal["hour", "day", "month"]
WINDOWS: Final[tuple[WindowName, ...]] = ("hour", "day", "month")
HOUR_SPANS: Final = 4
DAY_SPANS: Final = 96
MONTH_MS: Final = 30 * DAY_MS
"""What is looked at: the quarter of an hour that runs, and four, or 96, before it; the day that runs, and 30 before."""


def starts_ms(now_ms: int) -> dict[WindowName, int]:
    """When each window began."""
    quarter_ms = now_ms - now_ms % QUARTER_MS
    return {
        "hour": quarter_ms - HOUR_SPANS * QUARTER_MS,
        "day": quarter_ms - DAY_SPANS * QUARTER_MS,
        "month": now_ms - now_ms % DAY_MS - MONTH_MS,
    }


class ServiceSums(Struct):
    """`good`, `failed`: calls. `tokens`: that `answers` generated, in `generating_ms` from the provider's being asked
    to the last byte. `first`: streams by the bin of BOUNDS_MS in which the time to their first token lies."""

    good: int = 0
    failed: int = 0
    answers: int = 0
    tokens: int = 0
    generating_ms: int = 0
    first: dict[int, int] = field(default_factory=dict)

    def count(self, record: UsageRecord, failed: bool) -> None:
        if failed:
            self.failed += 1
            return
        self.good += 1
        if record.stream and record.first_byte_ms is not None:
            place = min(bisect_left(BOUNDS_MS, record.first_byte_ms), _LAST)
            self.first[place] = self.first.get(place, 0) + 1
        tokens = record.usage.output + record.usage.reasoning
        if tokens and record.attempts and record.last_byte_ms is not None:
            took_ms = record.last_byte_ms - record.attempts[-1].start_ms
            if took_ms > 0:
                self.answers += 1
                self.tokens += tokens
                self.generating_ms += took_ms

    def add(self, other: "ServiceSums", sign: Literal[1, -1] = 1) -> None:
        """sign -1: take them out again."""
        self.good += sign * other.good
        self.failed += sign * other.failed
        self.answers += sign * other.answers
        self.tokens += sign * other.tokens
        self.generating_ms += sign * other.generating_ms
        for place, count in list(other.first.items()):
            left = self.first.get(place, 0) + sign * count
            if left:
                self.first[place] = left
            else:
                self.first.pop(place, None)

    @property
    def calls(self) -> int:
        return self.good + self.failed


def verdict(record: UsageRecord) -> bool | None:
    """Whether a call failed by the provider or by this platform; None: it says nothing of the model."""
    if record.mode == "test" or not record.model or record.ending.startswith("client_left"):
        return None
    error = record.error
    if error is None:
        return False if record.status < 400 else None
    if error in FAILURES:
        return True
    # A limit of the caller's own refuses before the call is let in; behind that it is the provider's.
    return True if error == _SATURATED and record.admitted_ms is not None else None


def percentile(first: dict[int, int], percent: int) -> int | None:
    """Milliseconds within which so many percent of the first tokens came, by the bound of the bin that the one of that
    rank lies in: at most a tenth and a millisecond above the time itself. None: there are none."""
    bins = sorted(first.items())
    rank = ceil(sum(count for _, count in bins) * percent / 100)
    for place, count in bins:
        rank -= count
        if rank <= 0:
            return BOUNDS_MS[place]
    return None


CALLS_MIN: Final = 20
"""Fewer calls, first tokens or answers than that say nothing: it would be luck, or tell what one customer does."""


class ServiceFigures(Struct, frozen=True, kw_only=True):
    """What is said of a window. Each is None where too few calls say something. `success`: tenths of a percent, cut and
    not rounded, so that 1,000 means that no call failed."""

    success: int | None = None
    first_p50_ms: int | None = None
    first_p95_ms: int | None = None
    tokens_per_second: int | None = None


def figures(sums: ServiceSums, least: int = CALLS_MIN) -> ServiceFigures:
    timed = sum(sums.first.values()) >= least
    spoke = sums.answers >= least and sums.generating_ms > 0
    return ServiceFigures(
        success=sums.good * 1_000 // sums.calls if sums.calls >= least else None,
        first_p50_ms=percentile(sums.first, 50) if timed else None,
        first_p95_ms=percentile(sums.first, 95) if timed else None,
        tokens_per_second=round(sums.tokens * 1_000 / sums.generating_ms) if spoke else None,
    )


class ServiceRow(Struct, frozen=True, kw_only=True):
    """The sums of a model over one span of time, as they are kept. `first`: bins of BOUNDS_MS with their counts."""

    span_ms: int
    start_ms: int
    model: str
    good: int
    failed: int
    answers: int
    tokens: int
    generating_ms: int
    first: tuple[tuple[int, int], ...]

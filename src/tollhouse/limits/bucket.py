"""Token buckets, exact in integers: what is spent flows off evenly, a full minute's worth within a minute.

A bucket keeps what is *spent*, not what is left: a raised limit then frees the difference at once, a lowered one binds
at once, and a bucket that has run empty need not be kept. Spent is counted in 1/60000 of a unit, because that is what a
limit of 1 per minute frees in a millisecond.

More may be spent than the bucket holds, where a call used more than was taken for it: that debt flows off like the
rest, and until it has nobody gets in. Over any time no more is let in than one full bucket and what flows off.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from tollhouse.core.limit_status import LimitStatus
from tollhouse.limits.counter_key import CounterKey, Limit
from tollhouse.limits.kind import Standing

MINUTE_MS: Final = 60_000


class RateBucket(Struct):
    """`spent`: 1/60000 units, at `at_ms`, under a limit of `per_minute`."""

    spent: int = 0
    at_ms: int = 0
    per_minute: int = 0


def settle(bucket: RateBucket, per_minute: int, now_ms: int) -> None:
    """Bring a bucket to now: what has flowed off is taken out. A time before its last frees nothing.

    Where the limit was lowered, what no longer fits is forgiven, so that nobody waits longer than a minute for it.
    """
    if per_minute != bucket.per_minute:
        if per_minute < bucket.per_minute:
            bucket.spent = min(bucket.spent, per_minute * MINUTE_MS)
        bucket.per_minute = per_minute
    elapsed = now_ms - bucket.at_ms
    if elapsed > 0:
        bucket.at_ms = now_ms
        if bucket.spent:
            bucket.spent = max(0, bucket.spent - elapsed * per_minute)


def fits(bucket: RateBucket, units: int) -> bool:
    """May `units` be taken from a bucket that is settled?"""
    return bucket.spent + units * MINUTE_MS <= bucket.per_minute * MINUTE_MS


def take(bucket: RateBucket, units: int) -> None:
    bucket.spent += units * MINUTE_MS


def give_back(bucket: RateBucket, units: int) -> None:
    """Return units that were taken and not used to a bucket that is settled; negative ones are taken in addition."""
    bucket.spent = max(0, bucket.spent - units * MINUTE_MS)


def wait_ms(bucket: RateBucket, units: int) -> int | None:
    """Until `units` fit a settled bucket, 0 if they do; None if they never will: more than the whole bucket."""
    per_minute = bucket.per_minute
    if units > per_minute:
        return None
    over = bucket.spent + (units - per_minute) * MINUTE_MS
    return max(0, -(-over // per_minute)) if per_minute else 0


def status(bucket: RateBucket) -> LimitStatus:
    """How a settled bucket stands."""
    spent, per_minute = bucket.spent, bucket.per_minute
    remaining = max(0, per_minute - -(-spent // MINUTE_MS))
    return LimitStatus(per_minute, remaining, -(-spent // per_minute) if per_minute else MINUTE_MS)


class RateBuckets:
    """Buckets by place. Belongs to one event loop, hence exact."""

    __slots__ = ("_by_key",)

    def __init__(self) -> None:
        self._by_key: dict[CounterKey, RateBucket] = {}

    def at(self, limit: Limit, now_ms: int) -> RateBucket:
        """The bucket of a limit, settled."""
        counter_key, maximum = limit
        bucket = self._by_key.get(counter_key)
        if bucket is None:
            bucket = self._by_key[counter_key] = RateBucket(0, now_ms, maximum)
        else:
            settle(bucket, maximum, now_ms)
        return bucket

    def present(self, limit: Limit, now_ms: int) -> RateBucket:
        """The same for a call that is over: its limit may have changed meanwhile, and the one in force stays."""
        bucket = self._by_key.get(limit.key)
        if bucket is None:
            return self.at(limit, now_ms)
        settle(bucket, bucket.per_minute, now_ms)
        return bucket

    def status(self, limits: Iterable[Limit], now_ms: int) -> list[LimitStatus]:
        """How limits stand; looking changes nothing."""
        seen = []
        for counter_key, maximum in limits:
            shown = RateBucket(0, now_ms, maximum)
            if (bucket := self._by_key.get(counter_key)) is not None:
                shown = RateBucket(bucket.spent, bucket.at_ms, bucket.per_minute)
                settle(shown, maximum, now_ms)
            seen.append(status(shown))
        return seen

    def standing(self, limit: Limit, now_ms: int) -> Standing:
        """How one stands, for people."""
        _, remaining, reset_ms = self.status((limit,), now_ms)[0]
        return Standing(limit.maximum - remaining, remaining, reset_ms)

    def sweep(self, now_ms: int) -> None:
        """Drop what has run empty; for a timer, which knows the present.

        A bucket that is ahead of it was there before the clock was set back: it begins to flow again from now, where
        otherwise it would stand still until the clock has caught up.
        """
        for bucket in self._by_key.values():
            bucket.at_ms = min(bucket.at_ms, now_ms)
            settle(bucket, bucket.per_minute, now_ms)
        self._by_key = {counter_key: bucket for counter_key, bucket in self._by_key.items() if bucket.spent}

    def __len__(self) -> int:
        return len(self._by_key)

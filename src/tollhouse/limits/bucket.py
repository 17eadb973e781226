"""Token buckets, exact in integers: what is spent flows off evenly, a full minute's worth within a minute.

A bucket keeps what is *spent*, not what is left: a raised limit then frees the difference at once, a lowered one binds
at once, and a bucket nobody used for a minute is empty and need not be kept. Spent is counted in 1/60000 of a unit,
because that is what a limit of 1 per minute frees in a millisecond.
"""

from typing import Final, NamedTuple

from tollhouse.limits.standing import Standing

MINUTE_MS: Final = 60_000


class Bucket(NamedTuple):
    spent: int  # 1/60000 units, at `at_ms`
    at_ms: int


EMPTY: Final = Bucket(0, 0)


def settled(bucket: Bucket, per_minute: int, now_ms: int) -> Bucket:
    """The bucket now: what has flowed off is taken out. A clock that jumped back frees nothing. No more is spent than
    the bucket holds, so that a lowered limit makes nobody wait longer than a minute."""
    full = per_minute * MINUTE_MS
    elapsed = now_ms - bucket.at_ms
    if elapsed <= 0:
        return Bucket(min(bucket.spent, full), bucket.at_ms)
    return Bucket(max(0, min(bucket.spent, full) - elapsed * per_minute), now_ms)


def take(bucket: Bucket, per_minute: int, now_ms: int, units: int = 1) -> Bucket | None:
    """The bucket after taking `units`, or None if they do not fit now."""
    spent, at_ms = settled(bucket, per_minute, now_ms)
    spent += units * MINUTE_MS
    return Bucket(spent, at_ms) if spent <= per_minute * MINUTE_MS else None


def give_back(bucket: Bucket, units: int) -> Bucket:
    """Return units that were taken and not used; negative units are taken in addition, at most until it is full."""
    return Bucket(max(0, bucket.spent - units * MINUTE_MS), bucket.at_ms)


def wait_ms(bucket: Bucket, per_minute: int, now_ms: int, units: int = 1) -> int | None:
    """Until `units` fit, 0 if they do; None if they never will: more than the whole bucket."""
    if units > per_minute:
        return None
    spent = settled(bucket, per_minute, now_ms).spent
    over = spent + (units - per_minute) * MINUTE_MS
    return max(0, -(-over // per_minute)) if per_minute > 0 else None


def standing(bucket: Bucket, per_minute: int, now_ms: int) -> Standing:
    spent = settled(bucket, per_minute, now_ms).spent
    remaining = max(0, per_minute - -(-spent // MINUTE_MS))
    return Standing(per_minute, remaining, -(-spent // per_minute) if per_minute > 0 else MINUTE_MS)

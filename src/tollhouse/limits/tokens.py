"""How many tokens may go in and out in a minute.

When a call comes nobody knows what it will use, so a guess is reserved (contract, section 9); when it is over the guess
is corrected by what it used, up or down.
"""

from collections.abc import Sequence

from tollhouse.core.failure import RateLimited
from tollhouse.limits import bucket as buckets
from tollhouse.limits.bucket import MINUTE_MS, RateBucket, RateBuckets
from tollhouse.limits.counter_key import Limit, refusal
from tollhouse.limits.status import LimitStatus, spelled

_WHAT = "tokens per minute"


class TokenRate:
    """A bucket by place, counted in two steps like `RequestRate`."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets = RateBuckets()

    def check(self, limits: Sequence[Limit], tokens: int, now_ms: int, contact: str | None = None) -> list[RateBucket]:
        """The buckets to take from. Raises RateLimited naming the first limit that `tokens` do not fit.

        Also a call that reserves nothing waits where others have used more than there was.
        """
        units = tokens or 1
        found = []
        for limit in limits:
            bucket = self._buckets.at(limit, now_ms)
            if not buckets.fits(bucket, units):
                raise _refused(limit, bucket, units, contact)
            found.append(bucket)
        return found

    @staticmethod
    def take(found: Sequence[RateBucket], tokens: int) -> None:
        for bucket in found:
            buckets.take(bucket, tokens)

    def correct(self, limits: Sequence[Limit], reserved: int, used: int, now_ms: int) -> None:
        """A call is over that had reserved so many tokens and used so many."""
        for limit in limits:
            buckets.give_back(self._buckets.present(limit, now_ms), reserved - used)

    def status(self, limits: Sequence[Limit], now_ms: int) -> list[LimitStatus]:
        return self._buckets.status(limits, now_ms)

    def sweep(self, now_ms: int) -> None:
        self._buckets.sweep(now_ms)


def _refused(limit: Limit, bucket: RateBucket, tokens: int, contact: str | None) -> RateLimited:
    used = limit.maximum - buckets.status(bucket).remaining
    wait_ms = buckets.wait_ms(bucket, tokens)
    asked = f"{tokens} tokens"
    if wait_ms is None:
        when = "that is more than the whole limit, so waiting does not help: send less, or name a smaller output cap"
        return refusal(limit, _WHAT, used, when, MINUTE_MS, contact, asked=asked, never=True)
    when = f"there is room for it in {spelled(wait_ms)}"
    return refusal(limit, _WHAT, used, when, wait_ms, contact, asked=asked)

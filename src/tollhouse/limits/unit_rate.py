"""How many units (tokens, or others of which a call has many) may be used in a minute.

When a call comes nobody knows what it will use, so a guess is reserved (contract, section 9); when it is over the guess
is corrected by what it used, up or down.
"""

from collections.abc import Sequence

from tollhouse.core.failure import RateLimited
from tollhouse.core.limit_status import LimitStatus, spelled
from tollhouse.limits import bucket as buckets
from tollhouse.limits.bucket import MINUTE_MS, RateBucket, RateBuckets
from tollhouse.limits.counter_key import Limit, refusal
from tollhouse.limits.kind import Standing


class UnitRate:
    """See `LimitCounter`. A bucket by place. `unit`: in the plural. `cure`: what helps who asks for more than the whole
    limit. `without`: a call may need none of them, and then passes however the limit stands."""

    __slots__ = ("_buckets", "_cure", "_least", "_unit")

    def __init__(self, unit: str, cure: str = "send less", *, without: bool = False) -> None:
        self._buckets = RateBuckets()
        self._unit = unit
        self._cure = cure
        self._least = 0 if without else 1

    def check(self, limits: Sequence[Limit], units: int, now_ms: int, contact: str | None = None) -> list[RateBucket]:
        """The buckets to take from. Raises RateLimited naming the first limit that `units` do not fit.

        Also a call that reserves nothing waits where others have used more than there was, unless one may be `without`.
        """
        least = units or self._least
        found = []
        for limit in limits:
            bucket = self._buckets.at(limit, now_ms)
            if least and not buckets.fits(bucket, least):
                raise self._refused(limit, bucket, least, contact)
            found.append(bucket)
        return found

    @staticmethod
    def take(found: Sequence[RateBucket], units: int) -> list[int]:
        before = []
        for bucket in found:
            before.append(-(-bucket.spent // MINUTE_MS))
            buckets.take(bucket, units)
        return before

    def end(self, limits: Sequence[Limit], reserved: int, used: int, now_ms: int, *, refused: bool = False) -> None:
        """A call is over that had reserved so many units and used so many."""
        for limit in limits:
            buckets.give_back(self._buckets.present(limit, now_ms), reserved - used)

    def status(self, limits: Sequence[Limit], now_ms: int) -> list[LimitStatus]:
        return self._buckets.status(limits, now_ms)

    def standing(self, limit: Limit, now_ms: int) -> Standing:
        return self._buckets.standing(limit, now_ms)

    def sweep(self, now_ms: int) -> None:
        self._buckets.sweep(now_ms)

    def _refused(self, limit: Limit, bucket: RateBucket, units: int, contact: str | None) -> RateLimited:
        used = limit.maximum - buckets.status(bucket).remaining
        wait_ms = buckets.wait_ms(bucket, units)
        what, asked = f"{self._unit} per minute", f"{units} {self._unit}"
        if wait_ms is None:
            when = f"that is more than the whole limit, so waiting does not help: {self._cure}"
            return refusal(limit, what, used, when, MINUTE_MS, contact, asked=asked, never=True)
        when = f"there is room for it in {spelled(wait_ms)}"
        return refusal(limit, what, used, when, wait_ms, contact, asked=asked)

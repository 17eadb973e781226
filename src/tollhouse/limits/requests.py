"""How many calls may come in a minute."""

from collections.abc import Sequence
from typing import Final

from tollhouse.core.failure import RateLimited
from tollhouse.core.limit_status import LimitStatus, spelled
from tollhouse.limits import bucket as buckets
from tollhouse.limits.bucket import MINUTE_MS, RateBucket, RateBuckets
from tollhouse.limits.counter_key import Limit, refusal
from tollhouse.limits.kind import LimitKindSpec, Standing

_WHAT: Final = "requests per minute"


class RequestRate:
    """See `LimitCounter`. A bucket by place. A call is counted in two steps, so that it can be counted at every kind of
    limit or at none: `check` all, then `take` all, in one go without waiting in between."""

    __slots__ = ("_buckets", "_what")

    def __init__(self, what: str = _WHAT) -> None:
        """`what`: the counted thing with its period, for the message of a refusal."""
        self._buckets = RateBuckets()
        self._what = what

    def check(self, limits: Sequence[Limit], units: int, now_ms: int, contact: str | None = None) -> list[RateBucket]:
        """The buckets to take from. Raises RateLimited naming the first limit that is reached."""
        found = []
        for limit in limits:
            bucket = self._buckets.at(limit, now_ms)
            if not buckets.fits(bucket, 1):
                raise _refused(limit, bucket, self._what, contact)
            found.append(bucket)
        return found

    @staticmethod
    def take(found: Sequence[RateBucket], units: int = 1) -> list[int]:
        before = []
        for bucket in found:
            before.append(-(-bucket.spent // MINUTE_MS))
            buckets.take(bucket, 1)
        return before

    def give_back(self, limits: Sequence[Limit], now_ms: int) -> None:
        """A call that was counted was not made."""
        for limit in limits:
            buckets.give_back(self._buckets.present(limit, now_ms), 1)

    def end(self, limits: Sequence[Limit], reserved: int, used: int, now_ms: int, *, refused: bool = False) -> None:
        """A call that was made stays one."""
        if refused:
            self.give_back(limits, now_ms)

    def status(self, limits: Sequence[Limit], now_ms: int) -> list[LimitStatus]:
        return self._buckets.status(limits, now_ms)

    def standing(self, limit: Limit, now_ms: int) -> Standing:
        return self._buckets.standing(limit, now_ms)

    def sweep(self, now_ms: int) -> None:
        self._buckets.sweep(now_ms)


def _refused(limit: Limit, bucket: RateBucket, what: str, contact: str | None) -> RateLimited:
    used = limit.maximum - buckets.status(bucket).remaining
    wait_ms = buckets.wait_ms(bucket, 1)
    if wait_ms is None:  # a limit of 0
        return refusal(limit, what, used, "time alone frees nothing", MINUTE_MS, contact, never=True)
    return refusal(limit, what, used, f"there is room again in {spelled(wait_ms)}", wait_ms, contact)


KIND: Final = LimitKindSpec(
    name="requests_per_minute",
    order=20,
    counter=RequestRate,
    header="requests",
)

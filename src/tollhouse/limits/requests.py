"""How many calls may come in a minute."""

from collections.abc import Sequence

from tollhouse.core.failure import RateLimited
from tollhouse.limits import bucket as buckets
from tollhouse.limits.bucket import EMPTY, MINUTE_MS, Bucket
from tollhouse.limits.level import Level, Limit, refusal
from tollhouse.limits.standing import Standing, spelled


class RequestRate:
    """A token bucket by level and id. Belongs to one event loop, hence exact."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        self._buckets: dict[tuple[Level, str], Bucket] = {}

    def admit(self, limits: Sequence[Limit], now_ms: int, contact: str = "") -> None:
        """Count a call at every level, or at none. Raises RateLimited naming the first limit that is reached."""
        after: list[tuple[tuple[Level, str], Bucket]] = []
        for limit in limits:
            place = limit.level, limit.id
            before = self._buckets.get(place, EMPTY)
            taken = buckets.take(before, limit.most, now_ms)
            if taken is None:
                raise _refused(limit, before, now_ms, contact)
            after.append((place, taken))
        self._buckets.update(after)

    def standings(self, limits: Sequence[Limit], now_ms: int) -> list[Standing]:
        return [
            buckets.standing(self._buckets.get((limit.level, limit.id), EMPTY), limit.most, now_ms) for limit in limits
        ]

    def forget_idle(self, now_ms: int) -> None:
        """Drop buckets untouched for a minute: whatever their limit, everything has flowed off. For the sweeper."""
        idle = [place for place, bucket in self._buckets.items() if now_ms - bucket.at_ms >= MINUTE_MS]
        for place in idle:
            del self._buckets[place]


def _refused(limit: Limit, bucket: Bucket, now_ms: int, contact: str) -> RateLimited:
    used = limit.most - buckets.standing(bucket, limit.most, now_ms).remaining
    wait_ms = buckets.wait_ms(bucket, limit.most, now_ms)
    if wait_ms is None:  # a limit of 0
        return refusal(limit, "requests per minute", used, "time alone frees nothing", MINUTE_MS, contact)
    when = f"there is room again in {spelled(wait_ms)}"
    return refusal(limit, "requests per minute", used, when, wait_ms, contact)

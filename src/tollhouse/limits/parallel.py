"""How many calls may be in flight at once."""

from collections.abc import Sequence
from typing import Final

from tollhouse.core.limit_status import LimitStatus
from tollhouse.limits.bucket import MINUTE_MS
from tollhouse.limits.counter_key import CounterKey, Limit, refusal
from tollhouse.limits.kind import LimitKindSpec, Standing

_AGAIN_MS: Final = 1_000  # when a call in flight ends is not known; a second is a polite guess


class Parallel:
    """See `LimitCounter`. Calls in flight by place. A `check` that returns may be followed by one `take`, and each
    `take` is followed by exactly one `release` or `end` with the same limits. Belongs to one event loop, hence
    exact."""

    __slots__ = ("_in_flight",)

    def __init__(self) -> None:
        self._in_flight: dict[CounterKey, int] = {}

    def check(self, limits: Sequence[Limit], units: int, now_ms: int, contact: str | None = None) -> Sequence[Limit]:
        """The limits themselves. Raises RateLimited naming the first limit that is full. `contact`: as `refusal` takes
        it."""
        for limit in limits:
            used = self._in_flight.get(limit.key, 0)
            if used >= limit.maximum:
                if limit.maximum <= 0:
                    when = "time alone frees nothing"
                    raise refusal(limit, "parallel requests", used, when, MINUTE_MS, contact, never=True)
                when = "there is room again when one of them ends"
                raise refusal(limit, "parallel requests", used, when, _AGAIN_MS, contact)
        return limits

    def take(self, limits: Sequence[Limit], units: int = 1) -> list[int]:
        in_flight, before = self._in_flight, []
        for limit in limits:
            used = in_flight.get(limit.key, 0)
            before.append(used)
            in_flight[limit.key] = used + 1
        return before

    def release(self, limits: Sequence[Limit]) -> None:
        in_flight = self._in_flight
        for limit in limits:
            left = in_flight[limit.key] - 1  # KeyError: released twice, a defect that must not pass for free room
            if left:
                in_flight[limit.key] = left
            else:
                del in_flight[limit.key]

    def end(self, limits: Sequence[Limit], reserved: int, used: int, now_ms: int, *, refused: bool = False) -> None:
        self.release(limits)

    def status(self, limits: Sequence[Limit], now_ms: int) -> list[LimitStatus]:
        return []

    def standing(self, limit: Limit, now_ms: int) -> Standing:
        used = self._in_flight.get(limit.key, 0)
        return Standing(used, max(0, limit.maximum - used), None)

    def sweep(self, now_ms: int) -> None:
        """What is in flight ends by itself."""

    def used(self, counter_key: CounterKey) -> int:
        return self._in_flight.get(counter_key, 0)


KIND: Final = LimitKindSpec(name="parallel_requests", order=10, counter=Parallel, in_flight=True)

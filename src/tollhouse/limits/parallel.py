"""How many calls may be in flight at once."""

from collections.abc import Sequence
from typing import Final

from tollhouse.limits.bucket import MINUTE_MS
from tollhouse.limits.level import Limit, Place, refusal

_AGAIN_MS: Final = 1_000  # when a call in flight ends is not known; a second is a polite guess


class Parallel:
    """Calls in flight by place. A `check` that returns may be followed by one `take`, and each `take` is followed by
    exactly one `release` with the same limits. Belongs to one event loop, hence exact."""

    __slots__ = ("_in_flight",)

    def __init__(self) -> None:
        self._in_flight: dict[Place, int] = {}

    def check(self, limits: Sequence[Limit], contact: str | None = None) -> None:
        """Raises RateLimited naming the first limit that is full. `contact`: as `refusal` takes it."""
        for limit in limits:
            used = self._in_flight.get(limit.place, 0)
            if used >= limit.most:
                if limit.most <= 0:
                    when = "time alone frees nothing"
                    raise refusal(limit, "parallel requests", used, when, MINUTE_MS, contact, never=True)
                when = "there is room again when one of them ends"
                raise refusal(limit, "parallel requests", used, when, _AGAIN_MS, contact)

    def take(self, limits: Sequence[Limit]) -> None:
        in_flight = self._in_flight
        for limit in limits:
            in_flight[limit.place] = in_flight.get(limit.place, 0) + 1

    def release(self, limits: Sequence[Limit]) -> None:
        in_flight = self._in_flight
        for limit in limits:
            left = in_flight[limit.place] - 1  # KeyError: released twice, a defect that must not pass for free room
            if left:
                in_flight[limit.place] = left
            else:
                del in_flight[limit.place]

    def used(self, place: Place) -> int:
        return self._in_flight.get(place, 0)

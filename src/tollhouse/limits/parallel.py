"""How many calls may be in flight at once."""

from collections.abc import Sequence
from typing import Final

from tollhouse.limits.level import Level, Limit, refusal

_AGAIN_MS: Final = 1_000  # when a call in flight ends is not known; a second is a polite guess


class Parallel:
    """Calls in flight by level and id. Each `admit` that returns is followed by exactly one `release` with the same
    limits. Belongs to one event loop, hence exact."""

    __slots__ = ("_in_flight",)

    def __init__(self) -> None:
        self._in_flight: dict[tuple[Level, str], int] = {}

    def admit(self, limits: Sequence[Limit], contact: str = "") -> None:
        """Count a call in at every level, or at none. Raises RateLimited naming the first limit that is full.

        `contact`: who can raise limits, for the message.
        """
        in_flight = self._in_flight
        for limit in limits:
            used = in_flight.get((limit.level, limit.id), 0)
            if used >= limit.most:
                when = "there is room again when one of them ends"
                raise refusal(limit, "parallel requests", used, when, _AGAIN_MS, contact)
        for limit in limits:
            place = limit.level, limit.id
            in_flight[place] = in_flight.get(place, 0) + 1

    def release(self, limits: Sequence[Limit]) -> None:
        in_flight = self._in_flight
        for limit in limits:
            place = limit.level, limit.id
            left = in_flight[place] - 1  # KeyError: released twice, a defect that must not pass for free room
            if left:
                in_flight[place] = left
            else:
                del in_flight[place]

    def used(self, level: Level, id: str) -> int:  # noqa: A002 - the house's word for it
        return self._in_flight.get((level, id), 0)

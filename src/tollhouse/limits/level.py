"""Where a limit stands, and the words of a refusal: they name the limit, its level, what is used, when it resets."""

from typing import NamedTuple

from tollhouse.core.failure import RateLimited
from tollhouse.core.limit import LimitLevel


class Place(NamedTuple):
    """What names a counter: whose it is, and which models it counts if not all."""

    level: LimitLevel
    id: str
    model: str = ""

    def __str__(self) -> str:
        return f"{self.level} {self.id}" + (f" for {self.model}" if self.model else "")


class Limit(NamedTuple):
    """One limit that a call has to pass."""

    place: Place
    most: int


def refusal(
    limit: Limit,
    what: str,
    used: int,
    when: str,
    retry_after_ms: int,
    contact: str,
    *,
    asked: str = "",
    never: bool = False,
) -> RateLimited:
    """`what`: the counted thing with its period, as "requests per minute". `when`: a clause on when it has room again.
    `contact`: who can raise it, may be empty. `asked`: what this call needs. `never`: trying again does not help."""
    cure = f" To raise it, ask {contact}." if contact else ""
    need = f", this call needs {asked}" if asked else ""
    return RateLimited(
        f"The limit of {limit.most} {what} of the {limit.place} is reached: {used} used{need}; {when}.{cure}",
        retry_after_ms=retry_after_ms,
        should_retry=False if never else None,
    )

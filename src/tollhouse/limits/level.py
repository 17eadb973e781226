"""Where a limit stands, and the words of a refusal: they name the limit, its level, what is used, when it resets."""

from typing import Literal, NamedTuple

from tollhouse.core.failure import RateLimited

Level = Literal["account", "project", "key", "model", "platform"]


class Limit(NamedTuple):
    """One limit that a call has to pass. `id`: whose it is; the level and id together name its counter."""

    level: Level
    id: str
    most: int


def refusal(limit: Limit, what: str, used: int, when: str, retry_after_ms: int, contact: str) -> RateLimited:
    """`what`: the counted thing with its period, as "requests per minute". `when`: a clause on when it has room again.
    `contact`: who can raise it, may be empty."""
    asked = f" To raise it, ask {contact}." if contact else ""
    return RateLimited(
        f"The limit of {limit.most} {what} of the {limit.level} {limit.id} is reached: {used} used; {when}.{asked}",
        retry_after_ms=retry_after_ms,
    )

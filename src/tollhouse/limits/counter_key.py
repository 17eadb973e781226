"""Where a limit stands, and the words of a refusal: they name the limit, its level, what is used, when it resets."""

from typing import Final, NamedTuple

from tollhouse.core.failure import RateLimited
from tollhouse.core.limit import LimitLevel

_OPERATOR: Final = "the operator of this platform"


class CounterKey(NamedTuple):
    """What names a counter: whose it is, and which models it counts if not all."""

    level: LimitLevel
    id: str
    model: str = ""

    def __str__(self) -> str:
        return f"{self.level} {self.id}" + (f" for {self.model}" if self.model else "")


class Limit(NamedTuple):
    """One limit that a call has to pass."""

    key: CounterKey
    maximum: int


def refusal(
    limit: Limit,
    what: str,
    used: int,
    when: str,
    retry_after_ms: int,
    contact: str | None,
    *,
    asked: str = "",
    never: bool = False,
) -> RateLimited:
    """`what`: the counted thing with its period, as "requests per minute". `when`: a clause on when it has room again.
    `contact`: whom to ask beside those who always can, may be empty; None: nobody can raise it. `asked`: what this call
    needs. `never`: trying again does not help."""
    cure = "" if contact is None else f" To raise it, ask {_who_can(limit.key.level, contact)}."
    need = f", this call needs {asked}" if asked else ""
    return RateLimited(
        f"The limit of {limit.maximum} {what} of the {limit.key} is reached: {used} used{need}; {when}.{cure}",
        retry_after_ms=retry_after_ms,
        should_retry=False if never else None,
    )


def _who_can(level: LimitLevel, contact: str) -> str:
    """Limits of projects and keys are set within the account, all others by the operator."""
    if level in ("project", "key"):
        return "an owner or admin of the account" + (f", or {contact}" if contact else "")
    return contact or _OPERATOR

"""What a limit kind declares, and what counts by it."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Struct

from tollhouse.core.limit import LimitKind
from tollhouse.core.limit_status import LimitStatus
from tollhouse.core.usage import Usage
from tollhouse.limits.counter_key import Limit

Found = Sequence[Any]
"""What `check` has found at each limit, and `take` counts in: buckets, or places."""


class Standing(NamedTuple):
    """How one limit stands. `reset_ms`: until it is wholly free again if nobody calls; None: when calls end."""

    used: int
    remaining: int
    reset_ms: int | None


class LimitCounter(Protocol):
    """The counters of one kind, by place. Belongs to one event loop: between a `check` and its `take` nothing waits,
    and each `take` is followed by exactly one `end` with the same limits."""

    def check(self, limits: Sequence[Limit], units: int, now_ms: int, contact: str | None = None) -> Found:
        """What to count in. Counts nothing. Raises RateLimited naming the first limit that `units` do not fit; 0: a
        call comes of which nothing is known yet. `contact`: as `refusal` takes it."""
        ...

    def take(self, found: Found, units: int) -> list[int]:
        """Count; the answer is what was used of each limit before."""
        ...

    def end(self, limits: Sequence[Limit], reserved: int, used: int, now_ms: int, *, refused: bool = False) -> None:
        """A call is over that had taken `reserved` and used `used`. `refused`: it was not made after all."""
        ...

    def status(self, limits: Sequence[Limit], now_ms: int) -> list[LimitStatus]:
        """For headers; empty where a kind has none."""
        ...

    def standing(self, limit: Limit, now_ms: int) -> Standing:
        """For people. Looking changes nothing."""
        ...

    def sweep(self, now_ms: int) -> None:
        """For a timer: drop what has run empty."""
        ...


class LimitKindSpec(Struct, frozen=True, kw_only=True):
    """A limit kind: the `KIND` of its file. `order`: kinds are checked from the least. `reserves`: what a call takes
    when it comes, of the tokens that were guessed and the other units that it uses at most; None: one. `uses`: what
    counts in the end, of what was reserved and what it used; None: what was reserved. `header`: the word in its headers
    (`x-ratelimit-remaining-WORD`); None: it has none. `in_flight`: counted while a call lasts, from before its body is
    read."""

    name: LimitKind
    order: int
    counter: Callable[[], LimitCounter]
    reserves: Callable[[int, Usage], int] | None = None
    uses: Callable[[int, Usage], int] | None = None
    header: str | None = None
    in_flight: bool = False

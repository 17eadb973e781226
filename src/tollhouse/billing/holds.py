"""The book of holds: what is spent and what is reserved on each counter, in memory, exact because one loop owns it.

A counter is anything that money for a call must come from: an account's available money, or one window of one budget.
Whoever wants in holds the worst case on every counter at once, or on none. At every instant, for every counter:

    spent - overrun + held <= limit

A limit that people lower below what is already spent is no exception to be made: from then on nothing comes in.
"""

from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from tollhouse.billing.budgets import Level
from tollhouse.billing.windows import WindowKind
from tollhouse.core.amount import MOST, format_usd
from tollhouse.core.failure import InsufficientQuota

_OPERATOR: Final = "the operator of this platform"


class SpendingCounter(Struct, kw_only=True):
    """Nano-USD. `limit` None: nothing binds here. `spent` may pass `limit` only by what stands in `overrun`.

    The other fields say what it is: of which kind, whose, and until when. For money, `limit` is all that was ever put
    in plus the credit limit, and `spent` all that was ever charged, so that what is left is balance + credit - held.
    """

    id: str
    limit: int | None
    spent: int = 0
    held: int = 0
    overrun: int = 0
    kind: Literal["money", "budget"] = "budget"
    level: Level = "account"
    object_id: str = ""
    window: WindowKind = "total"
    starts_at_ms: int = 0  # of its window: with the id it names the counter
    resets_at_ms: int | None = None
    model: str | None = None  # counts only calls to this model
    soft: tuple[int, ...] = ()
    system: bool = False

    def left(self) -> int | None:
        """What a further hold may take; None: any amount. Never negative."""
        if self.limit is None:
            return None
        return max(0, self.limit - self.spent - self.held)


class Hold(Struct):
    """A reservation on several counters. It ends exactly once, by settle or release."""

    counters: Sequence[SpendingCounter]
    amount: int
    open: bool = True


class InsufficientFunds(Exception):
    """A counter cannot pay `amount` (None: nobody knows yet how much): `counter` is the one with the least left."""

    def __init__(self, counter: SpendingCounter, amount: int | None) -> None:
        super().__init__(counter.id)
        self.counter = counter
        self.amount = amount


def tightest(counters: Iterable[SpendingCounter]) -> int | None:
    """The least that any counter has left; None where nothing binds."""
    least: int | None = None
    for counter in counters:
        limit = counter.limit
        if limit is not None:
            left = limit - counter.spent - counter.held
            if least is None or left < least:
                least = left
    return None if least is None else max(0, least)


def hold(counters: Sequence[SpendingCounter], amount: int) -> Hold:
    """Reserve `amount` on all counters, or raise InsufficientFunds and reserve nothing.

    A budget of 0 refuses also a call that costs nothing. Raises ValueError for a negative amount or a counter twice.
    """
    if amount < 0:
        raise ValueError("a hold below nothing would make room")
    if len(counters) > 1 and len({id(counter) for counter in counters}) != len(counters):
        raise ValueError("a counter pays once for a call")
    too_little = insufficient(counters, amount)
    if too_little is not None:
        raise too_little
    for counter in counters:
        counter.held += amount
    return Hold(counters, amount)


def insufficient(counters: Iterable[SpendingCounter], amount: int) -> InsufficientFunds | None:
    """Why `amount` cannot be held: the counter with the least left, of those that cannot pay it."""
    refusing: list[SpendingCounter] = []
    for counter in counters:
        claimed, limit = counter.spent + counter.held + amount, counter.limit
        # Nothing more comes in where people lowered a limit below what is spent, nor under a budget of nothing.
        if limit is None:
            refuses = claimed > MOST
        else:
            refuses = (claimed > limit and amount > 0) or claimed > MOST or (limit == 0 and counter.kind == "budget")
        if refuses:
            refusing.append(counter)
    return InsufficientFunds(min(refusing, key=lambda counter: counter.left() or 0), amount) if refusing else None


def settle(held: Hold, charge: int) -> int:
    """End a hold by a charge; what is left over is free again. Gives the overrun, beyond the hold.

    Raises ValueError for a negative charge, and leaves the hold as it is.
    """
    if charge < 0:
        raise ValueError("a charge below nothing would earn money")
    if not held.open:
        raise AssertionError("a hold ends exactly once")
    held.open = False
    overrun = max(0, charge - held.amount)
    for counter in held.counters:
        counter.held -= held.amount
        counter.spent += charge
        counter.overrun += overrun
    return overrun


def release(held: Hold) -> None:
    """End a hold without a charge."""
    settle(held, 0)


def refusal(insufficient: InsufficientFunds, now_ms: int, when: str | None, contact: str = "") -> InsufficientQuota:
    """What the caller of a refused call reads: which counter, its limit, what is used and held, when it begins anew.

    when: `resets_at_ms` of the counter as people write it. contact: who can raise an operator's limit; may be empty.
    """
    counter = insufficient.counter
    limit = format_usd(counter.limit or 0)
    left = counter.left() or 0
    state = "is not enough for this call" if left > 0 else "is used up"
    used = f"{format_usd(counter.spent)} USD used, {format_usd(counter.held)} USD held for calls in flight"
    if counter.kind == "money" and counter.limit is None:
        what = f"The account {counter.object_id} has spent all that this platform counts: {used}"
        cure = f"Ask {contact}." if contact else "It needs a new account."
    elif counter.kind == "money":
        what = f"The money of the account {counter.object_id} {state}: {format_usd(left)} USD left, {used}"
        cure = f"To add money, ask {contact or _OPERATOR}."
    else:
        which = f" for {counter.model}" if counter.model is not None else ""
        by = " that the operator set" if counter.system else ""
        whose = f"{which} on the {counter.level} {counter.object_id}{by}"
        what = f"The {counter.window} budget of {limit} USD{whose} {state}: {used}"
        owner = contact or _OPERATOR if counter.system else "an owner or admin of the account"
        cure = f"To raise it, ask {owner}."
    need = "every call costs something"
    if insufficient.amount is not None:
        need = f"this call may cost {format_usd(insufficient.amount)} USD"
    cheaper = " Send less, or name a smaller output cap." if left > 0 else ""
    begins = f" It begins anew at {when}." if when is not None else ""
    wait_ms = None if counter.resets_at_ms is None else max(0, counter.resets_at_ms - now_ms)
    return InsufficientQuota(f"{what}; {need}.{cheaper}{begins} {cure}", retry_after_ms=wait_ms)

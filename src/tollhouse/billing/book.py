"""The book of holds: what is spent and what is reserved on each purse, in memory, exact because one loop owns it.

A purse is anything that money for a call must come from: an account's available money, or one window of one budget.
Whoever wants in holds the worst case on every purse at once, or on none. At every instant, for every purse:

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


class Purse(Struct, kw_only=True):
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
    """A reservation on several purses. It ends exactly once, by settle or release."""

    purses: Sequence[Purse]
    amount: int
    open: bool = True


class Short(Exception):
    """A purse cannot pay `amount` (None: nobody knows yet how much): `purse` is the one with the least left."""

    def __init__(self, purse: Purse, amount: int | None) -> None:
        super().__init__(purse.id)
        self.purse = purse
        self.amount = amount


def tightest(purses: Iterable[Purse]) -> int | None:
    """The least that any purse has left; None where nothing binds."""
    return min((left for purse in purses if (left := purse.left()) is not None), default=None)


def hold(purses: Sequence[Purse], amount: int) -> Hold:
    """Reserve `amount` on all purses, or raise Short and reserve nothing.

    A budget of 0 refuses also a call that costs nothing. Raises ValueError for a negative amount or a purse twice.
    """
    if amount < 0:
        raise ValueError("a hold below nothing would make room")
    if len({id(purse) for purse in purses}) != len(purses):
        raise ValueError("a purse pays once for a call")
    too_little = short(purses, amount)
    if too_little is not None:
        raise too_little
    for purse in purses:
        purse.held += amount
    return Hold(purses, amount)


def short(purses: Iterable[Purse], amount: int) -> Short | None:
    """Why `amount` cannot be held: the purse with the least left, of those that cannot pay it."""
    refusing = [purse for purse in purses if _refuses(purse, amount)]
    return Short(min(refusing, key=lambda purse: purse.left() or 0), amount) if refusing else None


def settle(held: Hold, charge: int) -> int:
    """End a hold by a charge; what is left over is free again. Gives the overrun, beyond the hold.

    Raises ValueError for a negative charge, and leaves the hold as it is.
    """
    if charge < 0:
        raise ValueError("a charge below nothing would earn money")
    _end(held)
    overrun = max(0, charge - held.amount)
    for purse in held.purses:
        purse.spent += charge
        purse.overrun += overrun
    return overrun


def release(held: Hold) -> None:
    """End a hold without a charge."""
    _end(held)


def refusal(short: Short, now_ms: int, when: str | None, contact: str = "") -> InsufficientQuota:
    """What the caller of a refused call reads: which purse, its limit, what is used and held, when it begins anew.

    when: `resets_at_ms` of the purse as people write it. contact: who can raise an operator's limit; may be empty.
    """
    purse = short.purse
    limit = format_usd(purse.limit or 0)
    left = purse.left() or 0
    state = "is not enough for this call" if left > 0 else "is used up"
    used = f"{format_usd(purse.spent)} USD used, {format_usd(purse.held)} USD held for calls in flight"
    if purse.kind == "money" and purse.limit is None:
        what = f"The account {purse.object_id} has spent all that this platform counts: {used}"
        cure = f"Ask {contact}." if contact else "It needs a new account."
    elif purse.kind == "money":
        what = f"The money of the account {purse.object_id} {state}: {format_usd(left)} USD left, {used}"
        cure = f"To add money, ask {contact or _OPERATOR}."
    else:
        which = f" for {purse.model}" if purse.model is not None else ""
        by = " that the operator set" if purse.system else ""
        whose = f"{which} on the {purse.level} {purse.object_id}{by}"
        what = f"The {purse.window} budget of {limit} USD{whose} {state}: {used}"
        owner = contact or _OPERATOR if purse.system else "an owner or admin of the account"
        cure = f"To raise it, ask {owner}."
    need = "every call costs something"
    if short.amount is not None:
        need = f"this call may cost {format_usd(short.amount)} USD"
    cheaper = " Send less, or name a smaller output cap." if left > 0 else ""
    begins = f" It begins anew at {when}." if when is not None else ""
    wait_ms = None if purse.resets_at_ms is None else max(0, purse.resets_at_ms - now_ms)
    return InsufficientQuota(f"{what}; {need}.{cheaper}{begins} {cure}", retry_after_ms=wait_ms)


def _refuses(purse: Purse, amount: int) -> bool:
    if purse.spent + purse.held + amount > MOST:
        return True
    left = purse.left()
    return left is not None and (amount > left or (purse.limit == 0 and purse.kind == "budget"))


def _end(held: Hold) -> None:
    if not held.open:
        raise AssertionError("a hold ends exactly once")
    held.open = False
    for purse in held.purses:
        purse.held -= held.amount

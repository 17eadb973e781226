"""The book of holds: what is spent and what is reserved on each purse, in memory, exact because one loop owns it.

A purse is anything that money for a call must come from: an account's available money, or one window of one budget.
Whoever wants in holds the worst case on every purse at once, or on none. At every instant, for every purse:

    spent - overrun + held <= limit
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct


class Purse(Struct):
    """Nano-USD. `limit` None: nothing binds here. `spent` may pass `limit` only by what stands in `overrun`."""

    id: str
    limit: int | None
    spent: int = 0
    held: int = 0
    overrun: int = 0

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
    """A purse cannot pay: `purse` is the first that binds."""

    def __init__(self, purse: Purse) -> None:
        super().__init__(purse.id)
        self.purse = purse


def tightest(purses: Iterable[Purse]) -> int | None:
    """The least that any purse has left; None where nothing binds."""
    lefts = [left for left in (purse.left() for purse in purses) if left is not None]
    return min(lefts) if lefts else None


def hold(purses: Sequence[Purse], amount: int) -> Hold:
    """Reserve `amount` on all purses, or raise Short and reserve nothing.

    A purse whose money is used up refuses also a call that costs nothing at worst: a limit of 0 means no calls.
    """
    for purse in purses:
        left = purse.left()
        if left is not None and (amount > left or left == 0):
            raise Short(purse)
    for purse in purses:
        purse.held += amount
    return Hold(purses, amount)


def settle(held: Hold, charge: int) -> int:
    """End a hold by a charge; what is left over is free again. Gives the overrun, beyond the hold."""
    _end(held)
    overrun = max(0, charge - held.amount)
    for purse in held.purses:
        purse.spent += charge
        purse.overrun += overrun
    return overrun


def release(held: Hold) -> None:
    """End a hold without a charge."""
    _end(held)


def _end(held: Hold) -> None:
    if not held.open:
        raise AssertionError("a hold ends exactly once")
    held.open = False
    for purse in held.purses:
        purse.held -= held.amount

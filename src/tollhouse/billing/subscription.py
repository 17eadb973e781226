"""What balance tools read: which counter binds a caller, and figures in which `hard_limit_usd - total_usage / 100` is
always what is left.

The tools know one formula, made for a limit by the month. So a budget by the month is shown as it is; under anything
else that binds, the hard limit is what is left plus what was spent this month (UTC), which the tools take off again.

What is held for calls in flight is not left, and not used yet either. It is taken from what is left, except under a
budget by the month: there the formula has no place for it, and a call shows when it is charged.
"""

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from tollhouse.billing.budgets import Level
from tollhouse.billing.holds import SpendingCounter
from tollhouse.billing.prices import divide_half_even
from tollhouse.billing.windows import WindowKind
from tollhouse.core.amount import NANO_PER_USD

UNLIMITED: Final = 100_000_000 * NANO_PER_USD  # what the original shows where nothing binds
_NANO_PER_CENT: Final = NANO_PER_USD // 100


class Subscription(Struct, frozen=True, kw_only=True):
    """Nano-USD. `hard - total usage` is `left`, where the usage is asked for without dates and in the same scope:
    of `month_of` a budget's own window where `by_window`, else of this month in UTC."""

    hard: int
    soft: int
    system_hard: int
    binds: Literal["money", "budget", "nothing"]
    scope: Level
    object_id: str
    limit: int
    used: int
    held: int
    left: int
    window: WindowKind
    resets_at_ms: int | None
    by_window: bool


def binding(counters: Iterable[SpendingCounter]) -> SpendingCounter | None:
    """The counter with the least left for a further call, of those that count every model; the first of equals.

    None: nothing binds.
    """
    found, least = None, 0
    for counter in counters:
        if counter.limit is None or counter.model is not None:
            continue
        left = counter.limit - counter.spent - counter.held
        if found is None or left < least:
            found, least = counter, left
    return found


def subscription(
    counter: SpendingCounter | None,
    spent_this_month: int,
    system_hard: int | None,
    account_id: str,
    *,
    uncounted: int = 0,
) -> Subscription:
    """counter: what binds. spent_this_month: nano-USD charged in this month of UTC in the scope of what binds (of the
    account, where nothing does). system_hard: the operator's monthly ceiling.

    uncounted: of what the usage of a budget's month shows, what does not count in it: the calls that were in flight
    when the budget was made. The tools take it off, so it is put on here.
    """
    ceiling = UNLIMITED if system_hard is None else system_hard
    if counter is None or counter.limit is None:
        return Subscription(
            hard=UNLIMITED,
            soft=UNLIMITED,
            system_hard=ceiling,
            binds="nothing",
            scope="account",
            object_id=account_id,
            limit=UNLIMITED,
            used=spent_this_month,
            held=0 if counter is None else counter.held,
            left=UNLIMITED - spent_this_month,
            window="month",
            resets_at_ms=None,
            by_window=False,
        )
    by_month = counter.kind == "budget" and counter.window == "month"
    left = counter.limit - counter.spent - (0 if by_month else counter.held)
    hard = counter.limit + uncounted if by_month else left + spent_this_month
    return Subscription(
        hard=hard,
        soft=-(-counter.limit * counter.soft[0] // 100) if counter.soft else hard,
        system_hard=ceiling,
        binds=counter.kind,
        scope=counter.level,
        object_id=counter.object_id,
        limit=counter.limit,
        used=counter.spent,
        held=counter.held,
        left=left,
        window=counter.window,
        resets_at_ms=counter.resets_at_ms,
        by_window=by_month,
    )


class CreditBalance(Struct, frozen=True):
    """Nano-USD, as `credit_grants` shows them: granted = used + available, whatever was refunded or lent."""

    granted: int
    used: int
    available: int


def credit(money: SpendingCounter) -> CreditBalance:
    """Of an account's money. Where its credit is unlimited, UNLIMITED is available."""
    available = UNLIMITED if money.limit is None else money.limit - money.spent - money.held
    return CreditBalance(available + money.spent, money.spent, available)


def usd_number(amount: int) -> str:
    """Nano-USD as a JSON number of USD, rounded half-even to 6 decimals: 1_234_567_890 is `1.234568`."""
    return _number(amount, NANO_PER_USD)


def cents_number(amount: int) -> str:
    """Nano-USD as a JSON number of cents, rounded half-even to 6 decimals: 1_234_567_890 is `123.456789`."""
    return _number(amount, _NANO_PER_CENT)


def _number(amount: int, unit: int) -> str:
    """A number that says by its point that it is no integer, as tools written for floats expect."""
    whole, millionths = divmod(divide_half_even(abs(amount) * 1_000_000, unit), 1_000_000)
    digits = f"{millionths:06d}".rstrip("0") or "0"
    sign = "-" if amount < 0 and (whole or millionths) else ""
    return f"{sign}{whole}.{digits}"

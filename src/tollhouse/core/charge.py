"""What a call cost, as it is charged together with its record."""

from msgspec import Struct


class Charge(Struct, frozen=True, kw_only=True):
    """Nano-USD. `amount`: the charge, overrun included. `held`: what was reserved for it."""

    amount: int
    price_id: str | None = None  # the price row; None: a model that is free
    multiplier_ppm: int = 1_000_000
    held: int = 0
    overrun: int = 0
    budgets: tuple[tuple[str, int], ...] = ()  # (budget, start of its window in Unix ms) that the call counts in

"""What a call cost, decided by the gateway at its end and written by the store in the transaction of its record."""

from msgspec import Struct


class Charge(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a call cost, as it is charged with its record. Nano-USD.

    A record without a charge (refused, failed before its first byte) leaves nothing in the ledger; one with a charge of
    0 leaves an entry of 0, unless the call was made in test mode.
    """

    amount: int  # the charge, overrun included
    price_id: str | None  # the price row; None: free model or test mode
    multiplier_ppm: int = 1_000_000
    held: int = 0
    overrun: int = 0
    budgets: tuple[tuple[str, int], ...] = ()  # (budget id, start of its window in Unix ms) that the call counts in

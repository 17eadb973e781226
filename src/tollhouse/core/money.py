"""The money of an account as it stands: the projection of its chain in the ledger."""

from msgspec import Struct


class Money(Struct, frozen=True, kw_only=True):
    """Nano-USD. `put_in`: all that is no charge, summed: grants, payments, refunds, adjustments, expiries. `spent`: all
    that was charged, of which `overrun` was beyond its holds. `sequence` and `hash`: the end of the chain."""

    account_id: str
    put_in: int = 0
    spent: int = 0
    overrun: int = 0
    balance: int = 0
    sequence: int = 0
    hash: bytes = bytes(32)

    def limit(self, credit_limit: int | None) -> int | None:
        """All that may ever be spent, as a counter counts it; None: any amount."""
        return None if credit_limit is None else self.put_in + credit_limit

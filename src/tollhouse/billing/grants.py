"""What is left of each grant, told without looking at a single charge.

Every entry of the ledger names the balance after it. So what was charged between two entries that are no charges is
what the balance lost meanwhile, and the money an account holds can be laid out again from those few entries.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from tollhouse.billing.credit_lots import CreditLots, after
from tollhouse.billing.ledger import Entry, Transfer

_BROUGHT_IN: Final = frozenset(("grant", "top_up"))


class Grant(Struct, frozen=True, kw_only=True):
    """Nano-USD. `used` went into calls (or paid a debt); what had expired was not used."""

    id: str
    amount: int
    used: int
    effective_at_ms: int
    expires_at_ms: int | None = None


def grants(non_charges: Sequence[Entry], balance: int) -> list[Grant]:
    """`non_charges`: all entries of an account but its charges, in their order. `balance`: nano-USD, now."""
    lots = {lot.id: lot.left for lot in credit_lots(non_charges, balance).lots}
    expired: dict[str | None, int] = defaultdict(int)  # a grant may end in parts, where calls were in flight
    for entry in non_charges:
        if entry.transfer.kind == "expiry":
            expired[entry.transfer.refers_to] -= entry.transfer.amount
    return [
        Grant(
            id=made.id,
            amount=made.amount,
            used=made.amount - lots.get(made.id, 0) - expired[made.id],
            effective_at_ms=made.time_ms,
            expires_at_ms=made.expires_at_ms,
        )
        for made in (entry.transfer for entry in non_charges)
        if made.kind in _BROUGHT_IN
    ]


def credit_lots(non_charges: Sequence[Entry], balance: int) -> CreditLots:
    """How the money lies now. See `grants`."""
    return after(CreditLots(), _moves(non_charges, balance))


def _moves(non_charges: Sequence[Entry], balance: int) -> Iterator[Transfer]:
    """The actions, with one charge where there were any between two of them."""
    before = 0
    for entry in non_charges:
        yield _charge(before - (entry.balance - entry.transfer.amount))
        yield entry.transfer
        before = entry.balance
    yield _charge(before - balance)


def _charge(amount: int) -> Transfer:
    return Transfer(id="", account_id="", kind="charge", amount=-amount, time_ms=0)

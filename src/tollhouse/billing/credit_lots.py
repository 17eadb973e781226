"""What is left of each credit: grants that expire are spent first, the one that expires soonest before all others.

A set of credit lots holds the lots of one customer account. What they have left, less the debt, is the account's
balance: a charge beyond all lots makes a debt, and whatever comes in pays that first. A grant's money is there until
its `expiry` is posted, so a call that was let in on it is paid from it.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct, structs

from tollhouse.billing.ledger import Transfer


class CreditLot(Struct, frozen=True):
    """Nano-USD. `id`: the transfer that brought it in. `expires_at_ms` None: never."""

    id: str
    given: int
    left: int
    expires_at_ms: int | None = None


class CreditLots(Struct, frozen=True):
    """`lots` in the order they are spent; those that are used up are dropped."""

    lots: tuple[CreditLot, ...] = ()
    debt: int = 0

    def balance(self) -> int:
        return sum(lot.left for lot in self.lots) - self.debt


def after(credit_lots: CreditLots, transfers: Iterable[Transfer]) -> CreditLots:
    """The credit lots after transfers of its account, in their order."""
    for transfer in transfers:
        if transfer.amount > 0:
            credit_lots = _paid_in(credit_lots, transfer)
        elif transfer.kind == "expiry" and transfer.refers_to is not None:
            credit_lots = _expired(credit_lots, transfer.refers_to, -transfer.amount)
        else:
            credit_lots = spend(credit_lots, -transfer.amount)
    return credit_lots


def due(credit_lots: CreditLots, now_ms: int) -> Sequence[CreditLot]:
    """The lots whose time is over and that have money left: each is to be ended by an `expiry` of at most that much."""
    return [lot for lot in credit_lots.lots if lot.expires_at_ms is not None and lot.expires_at_ms <= now_ms]


def _paid_in(credit_lots: CreditLots, transfer: Transfer) -> CreditLots:
    pays = min(credit_lots.debt, transfer.amount)
    left = transfer.amount - pays
    lots = credit_lots.lots
    if left:
        lot = CreditLot(transfer.id, transfer.amount, left, transfer.expires_at_ms)
        lots = tuple(sorted((*lots, lot), key=_turn))  # stable: of those that expire together the older goes first
    return CreditLots(lots, credit_lots.debt - pays)


def spend(credit_lots: CreditLots, amount: int) -> CreditLots:
    """Take nano-USD out of the lots in their turn; what they do not have becomes a debt."""
    lots = list(credit_lots.lots)
    while amount and lots:
        first = lots[0]
        takes = min(amount, first.left)
        amount -= takes
        if takes < first.left:
            lots[0] = structs.replace(first, left=first.left - takes)
        else:
            del lots[0]
    return CreditLots(tuple(lots), credit_lots.debt + amount)


def _expired(credit_lots: CreditLots, lot_id: str, amount: int) -> CreditLots:
    """Raises ValueError where the lot has less: an expiry takes what is left of its grant and no other money."""
    for place, lot in enumerate(credit_lots.lots):
        if lot.id == lot_id and lot.left >= amount:
            rest = (structs.replace(lot, left=lot.left - amount),) if lot.left > amount else ()
            return CreditLots(credit_lots.lots[:place] + rest + credit_lots.lots[place + 1 :], credit_lots.debt)
    raise ValueError(f"{lot_id} has less left than {amount} nano-USD")


def _turn(lot: CreditLot) -> tuple[bool, int]:
    return lot.expires_at_ms is None, lot.expires_at_ms or 0

"""The rules of the ledger: double entry, append only, and a chain of hashes over the entries of each customer account.

An amount is what a transfer adds to the customer's balance, in nano-USD: charges are negative. Its other leg stands on
an account of the platform, with the opposite sign, so every transfer sums to zero and so does the whole ledger.

| kind | customer | other leg on | must name |
|---|---|---|---|
| grant | + | platform:grants | |
| top_up | + | platform:payments | |
| charge | - or 0 | platform:revenue | request_id |
| overrun | - | platform:revenue | request_id |
| refund | + | platform:revenue | request_id |
| adjustment | + or - | platform:adjustments | reason |
| re_rate | + or - | platform:revenue | request_id, price_id |
| expiry | - | platform:grants | refers_to (the grant) |

An entry is a transfer with its place in the account's chain. Its hash is SHA-256 over the hash before it (32 zero bytes
before the first) and its canonical bytes: the fields of `_FIELDS` in that order, each as `<length>:<bytes>,` where the
length counts bytes in decimal, text is UTF-8 and integers are decimal; an absent field is `-,`.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Annotated, Final, Literal

from msgspec import Struct

from tollhouse.core.fields import Fields, Help

Kind = Literal["grant", "top_up", "charge", "overrun", "refund", "adjustment", "re_rate", "expiry"]

FIRST: Final = bytes(32)  # what the first entry's hash is chained to
VERSION: Final = "tollhouse ledger 1"


class TransferRule(Struct, frozen=True):
    """What is true of every transfer of a kind. `signs`: those its amount may have."""

    counter: str
    signs: tuple[int, ...]
    names: tuple[str, ...] = ()


TRANSFER_RULES: Final[Mapping[Kind, TransferRule]] = {
    "grant": TransferRule("platform:grants", (1,)),
    "top_up": TransferRule("platform:payments", (1,)),
    "charge": TransferRule("platform:revenue", (-1, 0), ("request_id",)),
    "overrun": TransferRule("platform:revenue", (-1,), ("request_id",)),
    "refund": TransferRule("platform:revenue", (1,), ("request_id",)),
    "adjustment": TransferRule("platform:adjustments", (1, -1), ("reason",)),
    "re_rate": TransferRule("platform:revenue", (1, -1), ("request_id", "price_id")),
    "expiry": TransferRule("platform:grants", (-1,), ("refers_to",)),
}


class CreditFields(Fields, frozen=True, kw_only=True):
    """What people say of money that they put in or give back."""

    reason: Annotated[str | None, Help("why; kept with the change in the audit")] = None


class Transfer(CreditFields, frozen=True):
    """Money that moves between a customer account and the platform."""

    id: str  # txn_...
    account_id: str
    kind: Kind
    amount: int
    time_ms: int
    request_id: str | None = None
    price_id: str | None = None
    multiplier_ppm: int | None = None
    refers_to: str | None = None  # the transfer this one undoes or ends
    actor_id: str | None = None  # who did it, where a person or a key of the control API did
    expires_at_ms: int | None = None  # of a grant


class Entry(Struct, frozen=True, kw_only=True):
    """A transfer in its chain. `balance`: the customer's after it. `sequence`: 1, 2, ... without a gap."""

    transfer: Transfer
    sequence: int
    balance: int
    previous: bytes
    hash: bytes


class ChainEnd(Struct, frozen=True):
    """Where an account's chain stands: what the next entry is appended to."""

    account_id: str
    sequence: int = 0
    balance: int = 0
    hash: bytes = FIRST


class Leg(Struct, frozen=True):
    transfer_id: str
    account: str
    amount: int


class BadTransfer(ValueError):
    """A transfer breaks a rule of its kind."""


def legs(transfer: Transfer) -> tuple[Leg, Leg]:
    """The customer's leg and the platform's. They sum to zero."""
    budget_counter = TRANSFER_RULES[transfer.kind].counter
    return (
        Leg(transfer.id, transfer.account_id, transfer.amount),
        Leg(transfer.id, budget_counter, -transfer.amount),
    )


def flaw_of(transfer: Transfer) -> str | None:
    """What is wrong with a transfer by the rules of its kind; None: nothing."""
    nature = TRANSFER_RULES.get(transfer.kind)
    if nature is None:
        return f"unknown kind {transfer.kind!r}"
    amount = transfer.amount
    if (amount > 0) - (amount < 0) not in nature.signs:
        return f"a {transfer.kind} cannot be {amount} nano-USD"
    missing = [name for name in nature.names if not getattr(transfer, name)]
    if missing:
        return f"a {transfer.kind} must name its {' and '.join(missing)}"
    if transfer.expires_at_ms is not None and transfer.kind != "grant":
        return f"a {transfer.kind} does not expire"
    return None


def append(tail: ChainEnd, transfer: Transfer) -> Entry:
    """The next entry of a chain. Raises BadTransfer."""
    if transfer.account_id != tail.account_id:
        raise BadTransfer(f"transfer {transfer.id} belongs to the chain of {transfer.account_id}")
    flaw = flaw_of(transfer)
    if flaw is not None:
        raise BadTransfer(f"transfer {transfer.id}: {flaw}")
    sequence, balance = tail.sequence + 1, tail.balance + transfer.amount
    digest = sha256(tail.hash + canonical(transfer, sequence, balance)).digest()
    return Entry(transfer=transfer, sequence=sequence, balance=balance, previous=tail.hash, hash=digest)


def tail_of(entry: Entry) -> ChainEnd:
    return ChainEnd(entry.transfer.account_id, entry.sequence, entry.balance, entry.hash)


def split(held: int, charge: int) -> tuple[int, int]:
    """The amounts of the `charge` and the `overrun` transfer of a settlement: what was held pays first.

    An overrun of 0 is no transfer. Raises ValueError below 0.
    """
    if held < 0 or charge < 0:
        raise ValueError(f"neither a hold nor a charge is below nothing: {held}, {charge}")
    within = min(held, charge)
    return -within, within - charge


def refundable(of_request: Iterable[Transfer]) -> int:
    """What can still be given back of a request, in nano-USD: all it was charged less all it was given."""
    return max(0, -sum(transfer.amount for transfer in of_request if transfer.kind in _OF_REQUESTS))


def canonical(transfer: Transfer, sequence: int, balance: int) -> bytes:
    """The bytes that the hash covers. Two different entries never have the same."""
    values: dict[str, object] = {"version": VERSION, "sequence": sequence, "balance": balance}
    parts = []
    for field in _FIELDS:
        value = values[field] if field in values else getattr(transfer, field)
        if value is None:
            parts.append(b"-,")
        else:
            text = str(value).encode()
            parts.append(b"%d:%b," % (len(text), text))
    return b"".join(parts)


class Flaw(Struct, frozen=True):
    account_id: str
    sequence: int
    transfer_id: str
    reason: str


def verify(entries: Iterable[Entry], account_id: str, stored: ChainEnd | None = None) -> Iterator[Flaw]:
    """Walk a chain from its first entry in the order of its sequence, and tell each flaw once, where it is.

    stored: the tail that is kept beside the entries; one that lies elsewhere shows entries cut off at the end.
    """
    tail = ChainEnd(account_id)
    for entry in entries:
        for reason in _flaws(tail, entry):
            yield Flaw(account_id, entry.sequence, entry.transfer.id, reason)
        tail = ChainEnd(account_id, entry.sequence, entry.balance, entry.hash)
    if stored is not None and stored != tail:
        reason = f"the chain ends otherwise: at {tail.sequence} with {tail.balance} nano-USD and {tail.hash.hex()[:16]}"
        yield Flaw(account_id, tail.sequence, "", reason)


def unbalanced(rows: Iterable[Leg]) -> dict[str, int]:
    """Of stored legs: the transfers that do not sum to zero, and by how much. Empty: all do."""
    sums: dict[str, int] = {}
    for leg in rows:
        sums[leg.transfer_id] = sums.get(leg.transfer_id, 0) + leg.amount
    return {transfer_id: amount for transfer_id, amount in sums.items() if amount}


def balances(rows: Iterable[Leg]) -> dict[str, int]:
    """The projection: what stands on each account, made from its legs alone."""
    sums: dict[str, int] = {}
    for leg in rows:
        sums[leg.account] = sums.get(leg.account, 0) + leg.amount
    return sums


def _flaws(tail: ChainEnd, entry: Entry) -> Iterator[str]:
    transfer = entry.transfer
    if transfer.account_id != tail.account_id:
        yield f"it belongs to {transfer.account_id}"
    if entry.sequence != tail.sequence + 1:
        yield f"it follows {tail.sequence}: entries are missing, doubled or out of order"
    if entry.balance != tail.balance + transfer.amount:
        yield f"its balance is {entry.balance}, {tail.balance} and {transfer.amount} make another"
    if entry.previous != tail.hash:
        yield "it is not chained to the entry before it"
    if sha256(entry.previous + canonical(transfer, entry.sequence, entry.balance)).digest() != entry.hash:
        yield "it is not what its hash was made from"
    if (flaw := flaw_of(transfer)) is not None:
        yield flaw


_OF_REQUESTS: Final = frozenset({"charge", "overrun", "refund", "re_rate"})
_FIELDS: Final = (
    "version",
    "account_id",
    "sequence",
    "balance",
    "id",
    "kind",
    "amount",
    "time_ms",
    "request_id",
    "price_id",
    "multiplier_ppm",
    "refers_to",
    "reason",
    "actor_id",
    "expires_at_ms",
)

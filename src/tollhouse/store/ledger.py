"""Rows of the ledger and the money of accounts: what people did is appended here, what calls cost by `charges`.

Good only on the writer's connection where it appends: no other may write a chain at the same time.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import structs
from sqlalchemy import Connection, func, insert, literal_column, select, text, update

from tollhouse.billing.ledger import TRANSFER_RULES, ChainEnd, Entry, Transfer
from tollhouse.billing.ledger import append as next_entry
from tollhouse.core.money import Money
from tollhouse.store.changes import note
from tollhouse.store.driver import remembered
from tollhouse.store.pages import Cursor, page
from tollhouse.store.records import record
from tollhouse.store.schema import account_money, ledger

_NON_CHARGES = text("kind NOT IN ('charge', 'overrun')")  # as the index says it, or it would not be used
_ENTRIES_AT_ONCE = 5_000
_CHARGES = frozenset(("charge", "overrun"))


class SqlLedgerRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, transfer: Transfer) -> Entry:
        """Add a transfer to its account's chain. Raises BadTransfer."""
        remembered(self._connection).pop("heads", None)
        before = self.money(transfer.account_id, lock=True)
        tail = ChainEnd(before.account_id, before.sequence, before.balance, before.hash)
        entry = next_entry(tail, transfer)
        row = structs.asdict(transfer) | {
            "sequence": entry.sequence,
            "balance": entry.balance,
            "counter": TRANSFER_RULES[transfer.kind].counter,
            "previous": entry.previous,
            "hash": entry.hash,
        }
        self._connection.execute(insert(ledger).values(row))
        charged = transfer.kind in _CHARGES
        after = structs.replace(
            before,
            put_in=before.put_in + (0 if charged else transfer.amount),
            spent=before.spent - (transfer.amount if charged else 0),
            overrun=before.overrun - (transfer.amount if transfer.kind == "overrun" else 0),
            balance=entry.balance,
            sequence=entry.sequence,
            hash=entry.hash,
        )
        if before.sequence:
            chosen = account_money.c.account_id == transfer.account_id
            self._connection.execute(update(account_money).where(chosen).values(structs.asdict(after)))
        else:
            self._connection.execute(insert(account_money).values(structs.asdict(after)))
        note(self._connection, "money", transfer.account_id)
        return entry

    def money(self, account_id: str, *, lock: bool = False) -> Money:
        """How an account stands; of one without entries, all zero. `lock`: until the transaction ends."""
        question = select(account_money).where(account_money.c.account_id == account_id)
        if lock:
            question = question.with_for_update()  # SQLite has one writer anyway
        row = self._connection.execute(question).mappings().first()
        return Money(account_id=account_id) if row is None else record(row, Money)

    def every_money(self) -> list[Money]:
        found = self._connection.execute(select(account_money).order_by(account_money.c.account_id)).mappings()
        return [record(row, Money) for row in found]

    def of_request(self, request_id: str) -> list[Entry]:
        """What a call was charged and given back."""
        question = select(ledger).where(ledger.c.request_id == request_id).order_by(ledger.c.sequence)
        return [_entry(row) for row in self._connection.execute(question).mappings()]

    def non_charges(self, account_id: str, *, before: Cursor | None, limit: int) -> list[Entry]:
        """Everything but charges, newest first."""
        question = select(ledger).where(ledger.c.account_id == account_id, _NON_CHARGES)
        question = page(question, ledger.c.time_ms, ledger.c.id, before, limit)
        return [_entry(row) for row in self._connection.execute(question).mappings()]

    def non_charges_within(self, account_id: str, from_ms: int, to_ms: int) -> list[Entry]:
        """Everything but charges of [from_ms, to_ms), in the order of the chain."""
        question = select(ledger).where(
            ledger.c.account_id == account_id, ledger.c.time_ms >= from_ms, ledger.c.time_ms < to_ms, _NON_CHARGES
        )
        return [_entry(row) for row in self._connection.execute(question.order_by(ledger.c.sequence)).mappings()]

    def expiring(self) -> dict[str, int]:
        """Of each account with grants that expire: when the first of them did or will, Unix milliseconds."""
        first = func.min(ledger.c.expires_at_ms)
        question = select(ledger.c.account_id, first).where(ledger.c.expires_at_ms.is_not(None), _NON_CHARGES)
        found = self._connection.execute(question.group_by(ledger.c.account_id))
        return {account_id: int(at_ms) for account_id, at_ms in found}

    def put_in_before(self, account_id: str, at_ms: int) -> int:
        """The sum of everything but charges before an instant."""
        question = select(func.coalesce(func.sum(ledger.c.amount), literal_column("0"))).where(
            ledger.c.account_id == account_id, ledger.c.time_ms < at_ms, _NON_CHARGES
        )
        return int(self._connection.execute(question).scalar_one())

    def accounts(self) -> list[str]:
        """Whoever has an entry, or money without one."""
        entered = select(ledger.c.account_id).distinct()
        standing = select(account_money.c.account_id)
        return sorted(self._connection.execute(entered.union(standing)).scalars())

    def chain(self, account_id: str) -> Iterator[tuple[Entry, str]]:
        """Every entry in the order of the sequence, with the account on its other leg."""
        after = -(2**62)
        while True:
            question = select(ledger).where(ledger.c.account_id == account_id, ledger.c.sequence > after)
            question = question.order_by(ledger.c.sequence).limit(_ENTRIES_AT_ONCE)
            rows = self._connection.execute(question).mappings().all()
            for row in rows:
                yield _entry(row), row["counter"]
            if len(rows) < _ENTRIES_AT_ONCE:
                return
            after = rows[-1]["sequence"]


def _entry(row: Any) -> Entry:
    return Entry(
        transfer=Transfer(**{field: row[field] for field in Transfer.__struct_fields__}),
        sequence=row["sequence"],
        balance=row["balance"],
        previous=bytes(row["previous"]),
        hash=bytes(row["hash"]),
    )

"""What stands in the database after a crash: the platform's own check of it, and what each call was charged."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tollhouse.access.directory import Directory
from tollhouse.clock import SystemClock, SystemRandom
from tollhouse.core.audit import Actor
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import ledger
from tollhouse.services.context import ServiceContext
from tollhouse.store.database import Store, open_store
from tollhouse.store.tables import SqlRepositories

OPERATOR = Actor(kind="operator", id="after the crash")


@dataclass(frozen=True)
class RecoveredState:
    """What one look at the database found. Nano-USD; `charged` and `entries` by request id."""

    flaws: list[str]
    calls: dict[str, UsageRecord]
    rows: int  # of calls; as many as `calls`, unless one stands twice
    entries: Counter[str]  # of kind `charge`
    charged: Counter[str]  # charges and overruns, positive
    non_charges: set[str]  # ids of all other transfers


def look(url: str) -> RecoveredState:
    """Open what is there as the platform would, verify all of it, and read it. Opening is also what heals a WAL."""

    async def whole() -> RecoveredState:
        store = open_store(url, create=False, clock=SystemClock(), folder=Path())
        try:
            return await _look(store)
        finally:
            await store.close()

    return asyncio.run(whole())


async def _look(store: Store) -> RecoveredState:
    services = ServiceContext(rows=store, directory=Directory([], [], []), clock=SystemClock(), random=SystemRandom())
    found = await ledger.verify(services, OPERATOR)
    flaws = [f"{flaw.account_id} {flaw.sequence} {flaw.transfer_id}: {flaw.reason}" for flaw in found.flaws]
    return await store.read(lambda tables: _read(tables, flaws))


def _read(tables: SqlRepositories, flaws: list[str]) -> RecoveredState:
    rows = tables.requests.page(before=None, limit=10_000_000)
    entries: Counter[str] = Counter()
    charged: Counter[str] = Counter()
    non_charges: set[str] = set()
    for account_id in tables.ledger.accounts():
        for entry, _ in tables.ledger.chain(account_id):
            moved = entry.transfer
            if moved.kind in ("charge", "overrun"):
                assert moved.request_id is not None
                entries[moved.request_id] += moved.kind == "charge"
                charged[moved.request_id] -= moved.amount
            else:
                non_charges.add(moved.id)
    return RecoveredState(flaws, {row.id: row for row in rows}, len(rows), entries, charged, non_charges)

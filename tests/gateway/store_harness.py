"""The harness with real books: its ledger is the store's writer, and what stands in the database is read back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct

from tests.gateway.fakes import NOW_MS, FakeCallerConnection
from tests.gateway.harness import GatewayHarness
from tests.support.databases import put_database
from tollhouse.billing.budgets import Budget
from tollhouse.core.failure import Overloaded
from tollhouse.core.ids import make_id
from tollhouse.core.operation import Operation
from tollhouse.core.usage_record import UsageRecord
from tollhouse.gateway.flow import serve
from tollhouse.store.database import Store, open_store
from tollhouse.store.tables import SqlRepositories
from tollhouse.store.writer import Writer

CALL = make_id("req", NOW_MS, bytes(10))
BUDGET = Budget(
    id="bud_1",
    account_id="acc_1",
    level="key",
    object_id="key_live",
    amount=10**12,
    kind="total",
    created_at_ms=NOW_MS,
)


class Frail:
    """The writer, or, while `failing`, a database that cannot be written."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.failing = False

    @property
    def trouble(self) -> str | None:
        """None: a database that fails from this call on has given no warning."""
        return self._writer.trouble

    def note(self, record: UsageRecord) -> None:
        self._writer.note(record)

    async def commit(self, record: UsageRecord) -> None:
        if self.failing:
            raise Overloaded("the database cannot be written: try again in a moment", retry_after_ms=1_000)
        await self._writer.commit(record)


class Written(Struct):
    """What the database knows. `entries`: of the call, kind and amount; the rest: of the account and of its budget."""

    record: UsageRecord | None
    entries: list[tuple[str, int]]
    spent: int
    balance: int
    counted: int
    calls_rolled_up: int
    charge_rolled_up: int


class StoreHarness:
    def __init__(self, harness: GatewayHarness, store: Store) -> None:
        self.harness = harness
        self.ledger = harness.gateway.ledger = Frail(store.writer)
        self.budget = harness.counters.put_budget(BUDGET, NOW_MS)
        self._store = store

    async def ask(self, client: FakeCallerConnection, operation: Operation = "chat") -> None:
        call = self.harness.call(client, operation)
        call.id = CALL
        await serve(self.harness.gateway, call)

    async def written(self) -> Written:
        return await self._store.read(_written)

    def held(self) -> int:
        assert self.harness.counter.held == self.budget.held
        return self.budget.held

    def spent(self) -> int:
        assert self.harness.counter.spent == self.budget.spent
        return self.budget.spent


@asynccontextmanager
async def booked(harness: GatewayHarness, folder: Path) -> AsyncIterator[StoreHarness]:
    store = open_store(put_database(folder), create=False, clock=harness.clock)
    try:
        yield StoreHarness(harness, store)
    finally:
        await store.close()


def _written(tables: SqlRepositories) -> Written:
    money = tables.ledger.money("acc_1")
    sums = tables.usage.sums("key", from_ms=0, to_ms=2 * NOW_MS)
    return Written(
        record=tables.requests.get(CALL),
        entries=[(one.transfer.kind, one.transfer.amount) for one in tables.ledger.of_request(CALL)],
        spent=money.spent,
        balance=money.balance,
        counted=tables.budgets.counter(BUDGET.id, BUDGET.window(NOW_MS).start_ms).spent,
        calls_rolled_up=sum(one.calls for one in sums),
        charge_rolled_up=sum(one.charge for one in sums),
    )

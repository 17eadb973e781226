"""The calls that cost the most, by what stands in their records, on both databases."""

import asyncio
from typing import Any

from tests.store.samples import NOW_MS, FixedClock, request
from tollhouse.core.charge import Charge
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.database import open_store
from tollhouse.store.pages import Cursor
from tollhouse.store.tables import SqlRepositories

LARGE = 5_000_000_000  # beyond 32 bits


def call(number: int, amount: int | None, **changed: object) -> UsageRecord:
    charge = None if amount is None else Charge(amount=amount, price_id=None)
    return request(number, time_ms=NOW_MS + number, charge=charge, **changed)


CALLS = (
    call(1, 70, model="o3", client='it\'s "odd"'),
    call(2, LARGE, model="gpt-4o", status=200),
    call(3, None, model="gpt-4o"),
    call(4, 0, model="gpt-4o"),
    call(5, 80, model="gpt-4.1", mode="live"),
    call(6, 90, model="gpt-4o", status=429, account_id="acc_2"),
)


def test_dearest_calls_are_found_by_what_their_records_hold(database_url: str) -> None:
    async def scenario() -> None:
        store = open_store(database_url, create=True, clock=FixedClock())
        try:
            for one in CALLS:
                await store.writer.commit(one)
            await store.read(look)
        finally:
            await store.close()

    asyncio.run(scenario())


def look(tables: SqlRepositories) -> None:
    def ids(exact: dict[str, str] | None = None, **asked: object) -> tuple[list[str], Cursor | None]:
        nothing: dict[str, Any] = dict.fromkeys(("account_id", "model", "statuses", "from_ms", "to_ms", "before"))
        whole = {**nothing, "looked_at": 100, "limit": 10, **asked}
        found, oldest = tables.requests.dearest(exact or {}, **whole)
        return [one.id for one in found], oldest

    assert ids() == (["req_2", "req_6", "req_5", "req_1"], None)
    assert ids(account_id="acc_1", limit=2) == (["req_2", "req_5"], None)
    assert ids({"client": 'it\'s "odd"'}) == (["req_1"], None)
    assert ids({"mode": "live"}) == (["req_5"], None)
    assert ids(model="gpt-4*") == (["req_2", "req_6", "req_5"], None)
    assert ids(model="gpt-4o", statuses=(400, 499)) == (["req_6"], None)
    assert ids(from_ms=NOW_MS + 2, to_ms=NOW_MS + 6) == (["req_2", "req_5"], None)
    assert ids(looked_at=2) == (["req_6", "req_5"], (NOW_MS + 5, "req_5"))
    assert ids(looked_at=6)[1] is None
    assert ids(looked_at=3, before=(NOW_MS + 5, "req_5")) == (["req_2"], (NOW_MS + 2, "req_2"))
    assert ids(looked_at=4, before=(NOW_MS + 5, "req_5")) == (["req_2", "req_1"], None)

"""Rows of prices and of price files, on both databases."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.store.samples import NOW_MS, FixedClock
from tollhouse.core.ids import make_id
from tollhouse.core.price import PriceDraft, PriceRow
from tollhouse.store.database import open_store
from tollhouse.store.tables import SqlRepositories

TIERED: dict[str, Any] = {"input": "2.50", "tiers": [{"above_input_tokens": 9, "input": "5"}]}


def changed(url: str, transaction: Callable[[SqlRepositories], Any]) -> Any:
    async def scenario() -> Any:
        store = open_store(url, create=True, clock=FixedClock())
        try:
            return await store.change(transaction)
        finally:
            await store.close()

    return asyncio.run(scenario())


def row(number: int, *, since_ms: int = NOW_MS, model: str = "m", **changed: Any) -> PriceRow:
    row_id = make_id("price", NOW_MS + number, number.to_bytes(10, "big"))
    return PriceRow(**{"id": row_id, "model": model, "effective_from_ms": since_ms, "written": TIERED, **changed})


def draft(number: int, **changed: Any) -> PriceDraft:
    made = {"id": f"draft_{number}", "price_list": "retail", "written": {"m": TIERED, "n": {}}}
    return PriceDraft(**{**made, "created_at_ms": NOW_MS + number, **changed})


def test_rows_come_in_the_order_in_which_they_hold(database_url: str) -> None:
    rows = [
        row(3, since_ms=NOW_MS + 1, written={}),
        row(40),  # two of one instant: the one that was added last comes last, whatever its letters
        row(5, price_list="retail", draft_id="draft_1"),
        row(26),
        row(6, model="n"),
    ]

    def put(tables: SqlRepositories) -> Any:
        for one in rows:
            tables.prices.add(one)
        every = tables.prices.rows()
        return (
            every,
            tables.prices.rows(price_list="default", model="m"),
            [price.id for price in tables.prices.list_all()],
        )

    every, default, prices = changed(database_url, put)
    assert default == [rows[3], rows[1], rows[0]]
    assert every == [rows[2], rows[4], rows[3], rows[1], rows[0]]
    assert prices == [one.id for one in every]


def test_price_files_are_kept_and_found(database_url: str) -> None:
    active = draft(1, activated_at_ms=NOW_MS + 5, effective_from_ms=NOW_MS + 9)

    def put(tables: SqlRepositories) -> Any:
        tables.price_drafts.add(draft(1))
        tables.price_drafts.add(draft(2))
        tables.price_drafts.save(active)
        drafts = tables.price_drafts
        page = drafts.page(before=None, limit=1), drafts.page(before=(NOW_MS + 2, "draft_2"), limit=5)
        return drafts.get("draft_1"), drafts.get("draft_3"), page

    found, missing, (first, second) = changed(database_url, put)
    assert found == active
    assert missing is None
    assert (first, second) == ([draft(2)], [active])

"""Rows of price files that people brought."""

from typing import Any

from msgspec import json, structs
from sqlalchemy import Connection, insert, select, update

from tollhouse.core.price import PriceDraft
from tollhouse.store.pages import Cursor, page
from tollhouse.store.records import record
from tollhouse.store.schema import price_drafts


class SqlPriceDraftRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, draft: PriceDraft) -> None:
        self._connection.execute(insert(price_drafts).values(_row(draft)))

    def save(self, draft: PriceDraft) -> None:
        self._connection.execute(update(price_drafts).where(price_drafts.c.id == draft.id).values(_row(draft)))

    def get(self, draft_id: str) -> PriceDraft | None:
        question = select(price_drafts).where(price_drafts.c.id == draft_id)
        row = self._connection.execute(question).mappings().first()
        return None if row is None else _draft(row)

    def page(self, *, before: Cursor | None, limit: int) -> list[PriceDraft]:
        question = page(select(price_drafts), price_drafts.c.created_at_ms, price_drafts.c.id, before, limit)
        return [_draft(row) for row in self._connection.execute(question).mappings()]


def _row(draft: PriceDraft) -> dict[str, Any]:
    return structs.asdict(draft) | {"written": json.encode(draft.written).decode()}


def _draft(row: Any) -> PriceDraft:
    return record(row, PriceDraft, as_json=("written",))

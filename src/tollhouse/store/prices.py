"""Rows of prices: added, never changed."""

from sqlalchemy import Connection, insert, select

from tollhouse.billing.prices import Price, read_row
from tollhouse.core.ids import time_of
from tollhouse.core.price import PriceRow
from tollhouse.store.changes import note
from tollhouse.store.records import record, row_of
from tollhouse.store.schema import prices


class SqlPriceRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, row: PriceRow) -> None:
        """Of rows of one list, model and instant the one added last holds."""
        self._connection.execute(insert(prices).values(row_of(row)))
        note(self._connection, "price", row.id)

    def rows(self, *, price_list: str | None = None, model: str | None = None) -> list[PriceRow]:
        """In the order in which they come into force; of one instant, in the order in which they were added."""
        question = select(prices)
        if price_list is not None:
            question = question.where(prices.c.price_list == price_list)
        if model is not None:
            question = question.where(prices.c.model == model)
        found = [record(row, PriceRow) for row in self._connection.execute(question).mappings()]
        return sorted(found, key=lambda row: (row.effective_from_ms, time_of(row.id) or 0))

    def list_all(self) -> list[Price]:
        """Raises BadPrice for a row that nobody can have written here."""
        return [read_row(row) for row in self.rows()]

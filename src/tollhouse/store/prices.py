"""Rows of prices: added, never changed."""

from collections.abc import Mapping

from msgspec import json
from sqlalchemy import Connection, insert, select

from tollhouse.billing.prices import Price, read_price
from tollhouse.store.changes import note
from tollhouse.store.schema import prices


class Prices:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, price: Price, written: Mapping[str, object]) -> None:
        """`written`: what `price` was read from. One of the same list, model and instant is refused."""
        self._connection.execute(
            insert(prices).values(
                id=price.id,
                price_list=price.price_list,
                model=price.model,
                effective_from_ms=price.effective_from_ms,
                written=json.encode(written).decode(),
            )
        )
        note(self._connection, "price", price.id)

    def written(self, price_list: str, model: str) -> list[tuple[int, dict[str, object]]]:
        """(effective from, as it was written) of a model's rows, newest first."""
        question = select(prices.c.effective_from_ms, prices.c.written).where(
            prices.c.price_list == price_list, prices.c.model == model
        )
        found = self._connection.execute(question.order_by(prices.c.effective_from_ms.desc()))
        return [(row.effective_from_ms, json.decode(row.written)) for row in found]

    def every(self) -> list[Price]:
        """Raises BadPrice for a row that nobody can have written here."""
        return [
            read_price(
                json.decode(row.written),
                id=row.id,
                model=row.model,
                price_list=row.price_list,
                effective_from_ms=row.effective_from_ms,
            )
            for row in self._connection.execute(select(prices).order_by(prices.c.effective_from_ms))
        ]

"""The one row that says how far the records of calls have been deleted."""

from msgspec import structs
from sqlalchemy import Connection, delete, insert, select

from tollhouse.core.retention import Retention
from tollhouse.store.records import record
from tollhouse.store.schema import retention


class SqlRetentionRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self) -> Retention:
        """A database in which nothing was deleted yet has none: then the record's defaults."""
        row = self._connection.execute(select(retention)).mappings().one_or_none()
        return Retention() if row is None else record(row, Retention)

    def save(self, state: Retention) -> None:
        self._connection.execute(delete(retention))
        self._connection.execute(insert(retention).values(structs.asdict(state)))

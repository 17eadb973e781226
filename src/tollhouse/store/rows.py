"""The rows of one table, as records: what most families of rows can do. Each family adds what it alone is asked."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from msgspec import Struct
from sqlalchemy import Connection, Select, Table, delete, insert, select, update

from tollhouse.store.changes import Kind, note
from tollhouse.store.pages import Cursor, page
from tollhouse.store.records import record, row_of

R = TypeVar("R", bound=Struct)


class SqlRecordRepository(Generic[R]):
    """A family names its table, its record, and what other processes are told of a change (None: nothing)."""

    table: Table
    kind: type[R]
    noted: Kind | None = None
    newest_by = "created_at_ms"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, one: R) -> None:
        row = self._row(one)
        self._connection.execute(insert(self.table).values(row))
        self._changed(row["id"])

    def save(self, one: R) -> None:
        """In place of the row with the same id."""
        row = self._row(one)
        self._connection.execute(update(self.table).where(self.table.c.id == row["id"]).values(row))
        self._changed(row["id"])

    def remove(self, row_id: str) -> None:
        self._connection.execute(delete(self.table).where(self.table.c.id == row_id))
        self._changed(row_id)

    def get(self, row_id: str) -> R | None:
        return self._first(self.table.c.id == row_id)

    def list_all(self) -> list[R]:
        return self._found(select(self.table))

    def page(self, *, before: Cursor | None, limit: int, **narrowed: str | None) -> list[R]:
        """Newest first. narrowed: what columns hold; by those that are None nothing is narrowed."""
        question = select(self.table)
        for column, value in narrowed.items():
            if value is not None:
                question = question.where(self.table.c[column] == value)
        return self._found(page(question, self.table.c[self.newest_by], self.table.c.id, before, limit))

    def _found(self, question: Select[Any]) -> list[R]:
        return [self._record(row) for row in self._connection.execute(question).mappings()]

    def _first(self, *conditions: Any) -> R | None:
        row = self._connection.execute(select(self.table).where(*conditions)).mappings().first()
        return None if row is None else self._record(row)

    def _row(self, one: R) -> dict[str, Any]:
        return row_of(one)

    def _record(self, row: Mapping[Any, Any]) -> R:
        return record(row, self.kind)

    def _changed(self, row_id: str) -> None:
        if self.noted is not None:
            note(self._connection, self.noted, row_id)

"""Rows of how well models served."""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, select, text

from tollhouse.core.service_level import ServiceRow
from tollhouse.store.records import record, row_of
from tollhouse.store.service_schema import service_levels

_NAMES = tuple(column.name for column in service_levels.columns)
_KEY = tuple(column.name for column in service_levels.primary_key)
_PUT = text(
    f"INSERT INTO service_levels ({', '.join(_NAMES)}) VALUES ({', '.join(f':{name}' for name in _NAMES)})"  # noqa: S608
    f" ON CONFLICT ({', '.join(_KEY)}) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _NAMES if name not in _KEY)
)


class SqlServiceLevelRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list_all(self) -> list[ServiceRow]:
        return [record(row, ServiceRow) for row in self._connection.execute(select(service_levels)).mappings()]

    def put(self, rows: Iterable[ServiceRow]) -> None:
        """In place of those of the same span, start and model."""
        if values := [row_of(row) for row in rows]:
            self._connection.execute(_PUT, values)

    def remove(self, places: Iterable[tuple[int, int, str]]) -> None:
        """places: span, start and model."""
        table = service_levels.c
        for span_ms, start_ms, model in places:
            one = table.span_ms == span_ms, table.start_ms == start_ms, table.model == model
            self._connection.execute(delete(service_levels).where(*one))

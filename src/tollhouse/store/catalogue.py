"""Rows of the catalogue: providers, models and plans as JSON records, and the generation they belong to."""

from collections.abc import Mapping
from typing import TypeVar

from msgspec import Struct, json
from sqlalchemy import Connection, Table, delete, insert, select, update

from tollhouse.core.catalogue import Catalogue, Model, Plan, Provider
from tollhouse.store.changes import note
from tollhouse.store.schema import configuration, models, plans, providers

Record = TypeVar("Record", bound=Struct)


class SqlCatalogueRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self) -> Catalogue:
        """The catalogue as it was last saved; generation 0 and empty before the first."""
        generation = self._connection.execute(select(configuration.c.generation)).scalar()
        return Catalogue(
            generation=generation or 0,
            providers=self._read(providers, Provider),
            models=self._read(models, Model),
            plans=self._read(plans, Plan),
        )

    def save(self, catalogue: Catalogue, now_ms: int) -> None:
        """Replace what stands by `catalogue`, all or nothing with the rest of the transaction."""
        self._write(providers, {one.id: (one, one.managed_by) for one in catalogue.providers.values()})
        self._write(models, {one.id: (one, one.managed_by) for one in catalogue.models.values()})
        self._write(plans, {one.id: (one, "file") for one in catalogue.plans.values()})
        values = {"generation": catalogue.generation, "applied_at_ms": now_ms}
        if self._connection.execute(update(configuration).values(values)).rowcount == 0:
            self._connection.execute(insert(configuration).values(id=1, **values))
        note(self._connection, "catalogue", str(catalogue.generation))

    def _read(self, table: Table, kind: type[Record]) -> dict[str, Record]:
        found = self._connection.execute(select(table.c.id, table.c.spec).order_by(table.c.id))
        return {row.id: json.decode(row.spec, type=kind) for row in found}

    def _write(self, table: Table, records: Mapping[str, tuple[Struct, str]]) -> None:
        self._connection.execute(delete(table))
        if records:
            self._connection.execute(
                insert(table),
                [
                    {"id": name, "spec": json.encode(record).decode(), "managed_by": managed_by}
                    for name, (record, managed_by) in records.items()
                ],
            )

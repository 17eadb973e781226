"""A database has today's schema or is refused with the cure; migrations and tables agree."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from tests.store.samples import FixedClock, request
from tollhouse.store import migration, schema
from tollhouse.store.database import migrate, open_store, pending_migrations
from tollhouse.store.engines import CannotOpen, connect
from tollhouse.store.migration import SchemaMismatch


def open_and_close(url: str, *, create: bool) -> None:
    async def scenario() -> None:
        store = open_store(url, create=create, clock=FixedClock())
        await store.writer.commit(request())
        await store.close()

    asyncio.run(scenario())


def execute(url: str, statement: str) -> None:
    engines = connect(url, Path())
    with engines.writing.begin() as connection:
        connection.execute(text(statement))
    engines.dispose()


def test_the_migrated_schema_is_the_one_the_code_speaks(empty_database_url: str) -> None:
    migrate(empty_database_url)
    engines = connect(empty_database_url, Path())
    with engines.reading.begin() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        difference = compare_metadata(MigrationContext.configure(connection, opts=options), schema.metadata)
        assert difference == []
        migrated = _constraints(connection)
    engines.dispose()
    assert migrated == _expected_constraints()


def _constraints(connection: Connection) -> dict[str, tuple[list[str], set[str], dict[str, bool]]]:
    """What Alembic does not compare: primary keys, foreign keys, and which columns may be empty."""
    look = inspect(connection)
    return {
        table: (
            look.get_pk_constraint(table)["constrained_columns"],
            {f"{key['constrained_columns'][0]} -> {key['referred_table']}" for key in look.get_foreign_keys(table)},
            {column["name"]: column["nullable"] for column in look.get_columns(table)},
        )
        for table in look.get_table_names()
        if table != "alembic_version"
    }


def _expected_constraints() -> dict[str, tuple[list[str], set[str], dict[str, bool]]]:
    return {
        name: (
            [column.name for column in table.primary_key],
            {f"{key.parent.name} -> {key.column.table.name}" for key in table.foreign_keys},
            {column.name: bool(column.nullable) for column in table.columns},
        )
        for name, table in schema.metadata.tables.items()
    }


def test_the_newest_revision_is_the_one_the_code_demands() -> None:
    scripts = ScriptDirectory.from_config(migration._configuration(None))
    assert scripts.get_heads() == [migration.HEAD]


def test_an_empty_database_is_filled_on_request_only(empty_database_url: str) -> None:
    with pytest.raises(SchemaMismatch, match=r"empty.*tollhouse migrate"):
        open_and_close(empty_database_url, create=False)
    open_and_close(empty_database_url, create=True)


def test_migrating_an_empty_database_makes_it_open(empty_database_url: str) -> None:
    planned = pending_migrations(empty_database_url)
    assert [line.split()[0] for line in planned] == [f"{number:04}" for number in range(1, int(migration.HEAD) + 1)]
    assert migrate(empty_database_url) == planned
    assert pending_migrations(empty_database_url) == []
    assert migrate(empty_database_url) == []
    open_and_close(empty_database_url, create=False)


def test_an_unknown_schema_is_refused(empty_database_url: str) -> None:
    migrate(empty_database_url)
    execute(empty_database_url, "UPDATE alembic_version SET version_num = '9999'")
    for create in (False, True):
        with pytest.raises(SchemaMismatch, match=r"schema 9999.*written by a newer version; install that one"):
            open_and_close(empty_database_url, create=create)
    with pytest.raises(SchemaMismatch, match="newer version"):
        migrate(empty_database_url)


def test_a_database_of_something_else_is_left_alone(empty_database_url: str) -> None:
    execute(empty_database_url, "CREATE TABLE invoices (id INTEGER)")
    for create in (False, True):
        with pytest.raises(SchemaMismatch, match="'invoices'"):
            open_and_close(empty_database_url, create=create)


def test_a_migration_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """Half a schema would be neither empty nor today's."""
    path = tmp_path / "tollhouse.db"
    engines = connect(f"sqlite:///{path}", Path())
    with engines.writing.begin() as connection:
        connection.exec_driver_sql("CREATE VIEW changes AS SELECT 1")  # in the way of the last table; no table itself
    with pytest.raises(Exception, match="changes"):
        migration.migrate(engines.writing)
    engines.dispose()
    with sqlite3.connect(path) as raw:
        names = {name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    raw.close()
    assert "accounts" not in names


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonsense", "no URL"),
        ("mysql://user:secret@host/db", "'mysql'"),
        ("sqlite://", "needs a file"),
        ("sqlite:///:memory:", "needs a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "needs a file"),
        ("sqlite:////nowhere/at/all.db", "/nowhere/at/all.db"),
        ("postgresql://user:secret@127.0.0.1:1/db", "cannot be reached"),
    ],
)
def test_an_address_that_leads_nowhere_is_named_without_its_password(url: str, says: str) -> None:
    with pytest.raises(CannotOpen, match=says) as refused:
        open_store(url, create=True, clock=FixedClock())
    assert "secret" not in str(refused.value)

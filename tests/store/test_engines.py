"""What every connection is told before its first statement."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, exc, text

from tollhouse.store import migration
from tollhouse.store.engines import connect


def pragma(engine: Engine, name: str) -> object:
    with engine.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_sqlite_keeps_what_it_has_acknowledged_when_power_fails(tmp_path: Path) -> None:
    """NORMAL (1) loses acknowledged commits. FULL is 2; each connection has its own setting."""
    engines = connect("sqlite:///x.db", tmp_path)
    for engine in (engines.writing, engines.reading):
        assert pragma(engine, "journal_mode") == "wal"
        assert pragma(engine, "synchronous") == 2
        assert pragma(engine, "foreign_keys") == 1
        assert pragma(engine, "busy_timeout") == 5_000
    assert pragma(engines.writing, "wal_autocheckpoint") == 0
    engines.dispose()


def test_postgresql_waits_for_the_disk(postgresql_database_url: str) -> None:
    engines = connect(postgresql_database_url, Path())
    with engines.writing.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
    engines.dispose()


def test_the_reading_side_cannot_write(database_url: str) -> None:
    engines = connect(database_url, Path())
    migration.check(engines.writing, create=True)
    with engines.reading.connect() as connection, pytest.raises(exc.DBAPIError):
        connection.execute(text("DELETE FROM accounts"))
    engines.dispose()


def test_only_its_owner_reads_the_database_file(tmp_path: Path) -> None:
    engines = connect("sqlite:///x.db", tmp_path)
    migration.check(engines.writing, create=True)
    for name in ("x.db", "x.db-wal"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    engines.dispose()


def test_without_its_driver_postgresql_is_refused_with_the_cure() -> None:
    script = """
import sys
sys.modules["psycopg"] = None  # as if it were not installed
from pathlib import Path
from tollhouse.store.engines import CannotOpen, connect
try:
    connect("postgresql://user@host/db", Path())
except CannotOpen as refused:
    print(refused)
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "uv sync --frozen --inexact --no-dev --extra postgresql" in told
    assert "pip install" not in told, "no package index has this name: whoever takes it would be installed"

"""Connections: what a database's URL means, and what every connection is told before its first statement.

Two engines a database: `writing` for the one writer, `reading` for the readers, which the database itself keeps from
writing. Drivers are synchronous; only the threads of `writer` and `readers` touch them.
"""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

READERS = 4
_BUSY_MS = 5_000  # how long a statement waits for another process that holds SQLite's write lock
_WAL_BYTES_KEPT = 64 * 1024 * 1024
_PAGES_KEPT_KIB = 32 * 1024
_STATEMENTS_KEPT = 512  # prepared; a statement that inserts 7 rows is another than one that inserts 8
# All statements of a question see one state, as on SQLite: the ledger is compared with what was written beside it.
_READING = "-c default_transaction_read_only=on -c default_transaction_isolation=repeatable\\ read"
_SPOKEN = "write sqlite:///PATH or postgresql://user@host/db"


class CannotOpen(Exception):
    """The database cannot be used; the message says why and names the cure. It never holds a password."""


@dataclass(frozen=True)
class Engines:
    url: URL
    writing: Engine
    reading: Engine

    @property
    def sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    def dispose(self) -> None:
        self.reading.dispose()
        self.writing.dispose()


def connect(url: str, folder: Path) -> Engines:
    """Make the engines; nothing is opened yet but an empty SQLite file. A relative SQLite path starts at `folder`.

    Raises CannotOpen for a URL that names no database we speak.
    """
    parsed = _parse(url, folder)
    if parsed.get_backend_name() == "sqlite":
        _create_private(Path(parsed.database or ""))
        remembers = {"cached_statements": _STATEMENTS_KEPT}
        writing = create_engine(parsed, pool_size=1, max_overflow=0, connect_args=remembers)
        reading = create_engine(parsed, pool_size=READERS, max_overflow=0)
        event.listen(writing, "connect", _prepare_writing)
        event.listen(writing, "begin", _begin_writing)
        event.listen(reading, "connect", _prepare_reading)
        event.listen(reading, "begin", _begin_reading)
        return Engines(parsed, writing, reading)
    try:
        return Engines(
            parsed,
            _postgresql(parsed, 1, "-c synchronous_commit=on"),
            _postgresql(parsed, READERS, _READING),
        )
    except ModuleNotFoundError:
        raise CannotOpen(
            "PostgreSQL needs its driver: in the folder of the source, `.uv/bin/uv sync --frozen --inexact --no-dev"
            " --extra postgresql`"
        ) from None


def _postgresql(url: URL, connections: int, options: str) -> Engine:
    # Asked before use whether it is still there: servers restart, firewalls forget.
    return create_engine(
        url, pool_size=connections, max_overflow=0, pool_pre_ping=True, connect_args={"options": options}
    )


def _parse(url: str, folder: Path) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise CannotOpen(
            "the database's address is no URL: write sqlite:///PATH or postgresql://user@host/db"
        ) from None
    if parsed.drivername == "sqlite":
        if not parsed.database or parsed.database.startswith((":", "file:")):
            raise CannotOpen(f"SQLite needs a file: {_SPOKEN}")
        return parsed.set(database=str(folder / parsed.database))
    if parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    raise CannotOpen(f"databases of kind {parsed.drivername!r} are not spoken: {_SPOKEN}")


def _create_private(path: Path) -> None:
    """The database holds who called what: only its owner may read it. SQLite gives the WAL the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise CannotOpen(f"cannot open the database file {path}: {error.strerror}") from error


def _prepare(driver: sqlite3.Connection) -> None:
    # The driver's own idea of when a transaction begins is switched off: ours begin where SQLAlchemy says so.
    driver.isolation_level = None
    driver.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    driver.execute("PRAGMA journal_mode = WAL")
    driver.execute("PRAGMA foreign_keys = ON")
    # NORMAL loses acknowledged commits when power fails (985 of 1,000 simulated cuts); FULL lost none of 3,000.
    driver.execute("PRAGMA synchronous = FULL")


def _prepare_writing(driver: sqlite3.Connection, _record: object) -> None:
    _prepare(driver)
    # The writer checkpoints itself, between batches and not within a commit that somebody waits for.
    driver.execute("PRAGMA wal_autocheckpoint = 0")
    driver.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES_KEPT}")
    driver.execute(f"PRAGMA cache_size = -{_PAGES_KEPT_KIB}")
    driver.execute("PRAGMA temp_store = MEMORY")  # what a statement of many rows needs to undo itself


def _prepare_reading(driver: sqlite3.Connection, _record: object) -> None:
    _prepare(driver)
    driver.execute("PRAGMA query_only = ON")


def _begin_writing(connection: Connection) -> None:
    # IMMEDIATE: a transaction that first reads and then writes must not find that another process wrote in between.
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    if not driver.in_transaction:  # the writer has begun before SQLAlchemy comes
        driver.execute("BEGIN IMMEDIATE")


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")

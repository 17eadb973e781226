"""The raw driver under a connection, for the transactions every call is waiting for.

SQLAlchemy's own executemany costs 46 to 60 us a row, the driver's 4 to 7, and one statement with many rows 3. SQL is
written with `?` for both databases.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from shutil import disk_usage
from typing import Any, Final

from sqlalchemy import Connection, Table

ROWS_AT_ONCE = 32
_SPARE: Final = 64
"""A disk that has not so many times the room of a WAL keeps it for the rows."""


class Insertion:
    """INSERT of many rows by one statement. SQLite's driver lets go of the interpreter lock at every statement, and
    while the event loop computes, getting it back takes longer than writing the rows."""

    def __init__(self, table: Table, on_conflict: str = "", same: Mapping[str, str] | None = None) -> None:
        """The rows have the order of the table's columns, but for those that are the same in all: they are written once
        as SQL, for every value that is handed over costs half a microsecond."""
        names = [column.name for column in table.columns]
        row = f"({', '.join((same or {}).get(name, '?') for name in names)})"
        # The text is made once for each number of rows: the driver finds its prepared statement by it.
        self.by_count = tuple(
            f"INSERT INTO {table.name} ({', '.join(names)}) VALUES {', '.join([row] * count)} {on_conflict}"  # noqa: S608
            for count in range(ROWS_AT_ONCE + 1)
        )


class Driver:
    """One connection whose transactions begin and end here. Errors are the driver's own, not SQLAlchemy's.

    `connection` is the same one, for statements made by SQLAlchemy within the transaction. SQLAlchemy must not end it:
    it believes in one transaction, which begins with its first statement and lasts as long as the connection.

    `remembered` is what was read and need not be read again: rows that only this connection writes. It is forgotten
    whenever anything is undone.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        raw: Any = connection.connection.driver_connection
        self._raw = raw
        self._cursor = raw.cursor()
        self._sqlite = connection.dialect.name == "sqlite"
        self.until_commit = "" if self._sqlite else "FOR UPDATE"
        """Ends a SELECT whose rows nobody else may change before the commit; SQLite has one writer anyway."""
        self._clean = True
        self.noticed = False
        """Something to tell people was written since the transaction began."""
        self.remembered = remembered(connection)
        self.remembered.clear()

    def begin(self) -> None:
        self.rollback()  # what a failed try left behind
        self._clean = self.noticed = False
        if self._sqlite:  # psycopg begins by itself
            self._cursor.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._raw.commit()
        self._clean = True

    def undo(self, savepoint: str) -> None:
        """Take back what was done since a savepoint."""
        self._cursor.execute(f"ROLLBACK TO SAVEPOINT {savepoint}")
        self.remembered.clear()

    def ask(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        self._cursor.execute(self._marked(statement), list(values))
        found: list[tuple[Any, ...]] = self._cursor.fetchall()
        return found

    def rollback(self) -> None:
        self._raw.rollback()
        if not self._clean:
            self.remembered.clear()

    @property
    def session(self) -> int:
        """What the server calls this connection; 0 where there is no server."""
        return 0 if self._sqlite else int(self._raw.info.backend_pid)

    def end_session(self, session: int) -> None:
        """Let a server no longer work for a connection that was lost: what it has not committed by then, it will not.
        Its rows are locked until it has heard of it; nobody waits long for that. 0: nothing to end."""
        if session:
            self._cursor.execute("SET LOCAL lock_timeout = '5s'")
            self._cursor.execute("SELECT pg_terminate_backend(%s)", [session])

    def checkpoint(self) -> bool:
        """Between transactions: move SQLite's WAL into the database, as far as no reader still needs it. Whether there
        is such a thing."""
        if self._sqlite:
            self._cursor.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        return self._sqlite

    def make_room(self, size: int) -> None:
        """Between transactions: have SQLite's WAL be so many bytes long. A commit that makes the file grow takes a disk
        about three times as long as one that finds room. A transaction that is too large for the cache is written there
        and rolled back: the database stays as it is, and the room stays, too. Nothing is done on a disk with little
        room; where it fails, the room is given back."""
        if not self._sqlite:
            return
        file = self._cursor.execute("PRAGMA database_list").fetchall()[0][2]
        if disk_usage(Path(file).parent).free < _SPARE * size:
            return
        ((pages,),) = self._cursor.execute("PRAGMA cache_size").fetchall()
        self._cursor.execute("PRAGMA cache_size = 8")
        made = False
        try:
            self._cursor.execute("BEGIN IMMEDIATE")
            self._cursor.execute("CREATE TABLE room (filling BLOB)")
            self._cursor.execute("INSERT INTO room VALUES (zeroblob(?))", [size])
            made = True
        finally:
            self._raw.rollback()
            if not made:
                self._cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._cursor.execute(f"PRAGMA cache_size = {pages}")

    def execute(self, statement: str) -> None:
        self._cursor.execute(statement)

    def execute_many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._cursor.executemany(self._marked(statement), rows)

    def insert(self, insertion: Insertion, rows: Sequence[tuple[object, ...]]) -> None:
        for at in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[at : at + ROWS_AT_ONCE]
            statement = self._marked(insertion.by_count[len(part)])
            self._cursor.execute(statement, list(chain.from_iterable(part)))

    def _marked(self, statement: str) -> str:
        return statement if self._sqlite else statement.replace("?", "%s")


def remembered(connection: Connection) -> dict[str, Any]:
    """What a `Driver` on this connection remembers, for statements that reach it by SQLAlchemy."""
    found: dict[str, Any] = connection.info.setdefault("tollhouse_remembered", {})
    return found


def clean(text: str) -> str:
    """Text as both databases can hold it: callers choose model names and tags, and a NUL or half a surrogate pair in
    them must not cost a call its record."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")

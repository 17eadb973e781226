"""The raw driver under a connection, for the rows that are written with every call.

SQLAlchemy's own executemany costs 46 to 60 us a row, the driver's 4 to 7. SQL is written with `?` for both databases.
"""

from collections.abc import Sequence

from sqlalchemy import Connection


class Driver:
    """Statements on the connection's current transaction. Errors are the driver's own, not SQLAlchemy's."""

    def __init__(self, connection: Connection) -> None:
        self._cursor = connection.connection.cursor()
        self._mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"

    def execute(self, statement: str) -> None:
        self._cursor.execute(statement)

    def execute_many(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        self._cursor.executemany(statement.replace("?", self._mark), rows)

    def close(self) -> None:
        self._cursor.close()


def clean(text: str) -> str:
    """Text as both databases can hold it: callers choose model names and tags, and a NUL or half a surrogate pair in
    them must not cost a call its record."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")

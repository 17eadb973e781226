"""How large the database is."""

from sqlalchemy import Connection, text


class SqlSizeRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def bytes(self) -> int:
        """On the disk; of SQLite without what stands in its WAL."""
        if self._connection.dialect.name == "sqlite":
            pages = self._connection.execute(text("PRAGMA page_count")).scalar_one()
            return int(pages) * int(self._connection.execute(text("PRAGMA page_size")).scalar_one())
        return int(self._connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())

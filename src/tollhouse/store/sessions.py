"""Rows of the console's sessions."""

from sqlalchemy import delete, update

from tollhouse.core.session import Session
from tollhouse.store.people_schema import sessions
from tollhouse.store.rows import SqlRecordRepository


class SqlSessionRepository(SqlRecordRepository[Session]):
    table, kind = sessions, Session

    def seen(self, session_id: str, seen_at_ms: int) -> None:
        """It was used: nothing else of it is written."""
        self._connection.execute(update(sessions).where(sessions.c.id == session_id).values(seen_at_ms=seen_at_ms))

    def remove_of(self, person_id: str) -> None:
        """All of a person's, also those whose time is over."""
        self._connection.execute(delete(sessions).where(sessions.c.person_id == person_id))

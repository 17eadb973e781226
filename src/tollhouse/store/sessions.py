"""Rows of the console's sessions."""

from tollhouse.core.session import Session
from tollhouse.store.people_schema import sessions
from tollhouse.store.rows import SqlRecordRepository


class SqlSessionRepository(SqlRecordRepository[Session]):
    table, kind = sessions, Session

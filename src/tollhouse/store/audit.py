"""Rows of the audit: added, never changed."""

from msgspec import json, structs
from sqlalchemy import Connection, insert, select

from tollhouse.core.audit import AuditRow
from tollhouse.store.pages import Cursor, page
from tollhouse.store.records import record
from tollhouse.store.schema import audit


class SqlAuditRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, row: AuditRow) -> None:
        as_json = {"before": json.encode(row.before).decode(), "after": json.encode(row.after).decode()}
        self._connection.execute(insert(audit).values(structs.asdict(row) | as_json))

    def page(
        self,
        *,
        before: Cursor | None,
        limit: int,
        account_id: str | None = None,
        object_id: str | None = None,
    ) -> list[AuditRow]:
        question = select(audit)
        if account_id is not None:
            question = question.where(audit.c.account_id == account_id)
        if object_id is not None:
            question = question.where(audit.c.object_id == object_id)
        question = page(question, audit.c.time_ms, audit.c.id, before, limit)
        return [
            record(row, AuditRow, as_json=("before", "after")) for row in self._connection.execute(question).mappings()
        ]

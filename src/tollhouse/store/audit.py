"""Rows of the audit: added, never changed."""

from tollhouse.core.audit import AuditRow
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import audit


class SqlAuditRepository(SqlRecordRepository[AuditRow]):
    table, kind, newest_by = audit, AuditRow, "time_ms"

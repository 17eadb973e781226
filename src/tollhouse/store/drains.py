"""Rows of providers that take no new calls."""

from tollhouse.core.drain import Drain
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import provider_drains


class SqlDrainRepository(SqlRecordRepository[Drain]):
    table, kind = provider_drains, Drain
    newest_by = "since_ms"

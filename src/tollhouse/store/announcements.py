"""Rows of announcements."""

from sqlalchemy import func, select

from tollhouse.core.announcement import Announcement
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.service_schema import announcements


class SqlAnnouncementRepository(SqlRecordRepository[Announcement]):
    table, kind = announcements, Announcement

    def open_ones(self) -> int:
        question = select(func.count()).where(announcements.c.closed_at_ms.is_(None))
        return int(self._connection.execute(question).scalar_one())

    def told_since(self, from_ms: int, limit: int) -> list[Announcement]:
        """Those that are open, or were closed since then, the newest first."""
        is_told = announcements.c.closed_at_ms.is_(None) | (announcements.c.closed_at_ms >= from_ms)
        newest = announcements.c.created_at_ms.desc(), announcements.c.id.desc()
        return self._found(select(announcements).where(is_told).order_by(*newest).limit(limit))

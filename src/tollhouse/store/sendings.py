"""Counts of what accounts have caused to be sent, by day of UTC."""

from sqlalchemy import Connection, delete, text

from tollhouse.core.channel import ChannelBounds
from tollhouse.core.roll_up import DAY_MS
from tollhouse.limits.sending import DAILY_MAX, Sending
from tollhouse.store.outbox_schema import sendings

_COUNT = text(
    "INSERT INTO sendings (day_ms, kind, subject, count) VALUES (:day_ms, :kind, :subject, 1)"
    " ON CONFLICT (day_ms, kind, subject) DO UPDATE SET count = sendings.count + 1 RETURNING count"
)


class SqlSendingRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def admit(self, kind: Sending, subject: str, now_ms: int) -> bool:
        """Count one more; False: it is beyond what may be sent in a day."""
        return self._count(kind, subject, now_ms) <= DAILY_MAX[kind]

    def admit_on(self, channel: ChannelBounds, account_id: str, now_ms: int) -> bool:
        """The same of one account's deliveries on a channel."""
        return self._count(channel.name, account_id, now_ms) <= channel.per_day

    def _count(self, kind: str, subject: str, now_ms: int) -> int:
        row = {"day_ms": now_ms - now_ms % DAY_MS, "kind": kind, "subject": subject}
        count: int = self._connection.execute(_COUNT, row).scalar_one()
        return count

    def forget_before(self, now_ms: int) -> None:
        """Days before yesterday bind nothing any more."""
        self._connection.execute(delete(sendings).where(sendings.c.day_ms < now_ms - 2 * DAY_MS))

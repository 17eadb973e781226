"""Rows of redeem codes. That a code is good once is the database's word: one statement looks and takes it."""

from sqlalchemy import ColumnElement, and_, or_, update

from tollhouse.core.code import Code
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import codes


class SqlCodeRepository(SqlRecordRepository[Code]):
    table, kind = codes, Code

    def free(self, digest: bytes, now_ms: int) -> Code | None:
        """The code of this SHA-256 that `take` would redeem."""
        return self._first(and_(codes.c.digest == digest, codes.c.redeemed_at_ms.is_(None), _good(now_ms)))

    def take(self, digest: bytes, account_id: str, now_ms: int) -> Code | None:
        """Redeem the code of this SHA-256; None: there is none, it is over, or it was redeemed before."""
        taken = self._connection.execute(
            update(codes)
            .where(codes.c.digest == digest, codes.c.redeemed_at_ms.is_(None), _good(now_ms))
            .values(redeemed_at_ms=now_ms, redeemed_by=account_id)
        )
        if taken.rowcount != 1:
            return None
        return self._first(codes.c.digest == digest)


def _good(now_ms: int) -> ColumnElement[bool]:
    """It is not over."""
    return or_(codes.c.expires_at_ms.is_(None), codes.c.expires_at_ms > now_ms)

"""Rows of redeem codes. That a code is good once is the database's word: one statement looks and takes it."""

from sqlalchemy import or_, update

from tollhouse.core.code import Code
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import codes


class SqlCodeRepository(SqlRecordRepository[Code]):
    table, kind = codes, Code

    def take(self, digest: bytes, account_id: str, now_ms: int) -> Code | None:
        """Redeem the code of this SHA-256; None: there is none, it is over, or it was redeemed before."""
        free = or_(codes.c.expires_at_ms.is_(None), codes.c.expires_at_ms > now_ms)
        taken = self._connection.execute(
            update(codes)
            .where(codes.c.digest == digest, codes.c.redeemed_at_ms.is_(None), free)
            .values(redeemed_at_ms=now_ms, redeemed_by=account_id)
        )
        if taken.rowcount != 1:
            return None
        return self._first(codes.c.digest == digest)

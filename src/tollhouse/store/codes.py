"""Rows of redeem codes. That a code is good once is the database's word: one statement looks and takes it."""

from msgspec import structs
from sqlalchemy import Connection, insert, or_, select, update

from tollhouse.core.code import Code
from tollhouse.store.pages import Cursor, page
from tollhouse.store.records import record
from tollhouse.store.schema import codes


class SqlCodeRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, code: Code) -> None:
        self._connection.execute(insert(codes).values(structs.asdict(code)))

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
        return record(self._connection.execute(select(codes).where(codes.c.digest == digest)).mappings().one(), Code)

    def page(self, *, before: Cursor | None, limit: int) -> list[Code]:
        question = page(select(codes), codes.c.created_at_ms, codes.c.id, before, limit)
        return [record(row, Code) for row in self._connection.execute(question).mappings()]

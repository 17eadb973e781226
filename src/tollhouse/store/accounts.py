"""Rows of accounts."""

from tollhouse.core.account import Account
from tollhouse.store.pages import Cursor
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import accounts


class SqlAccountRepository(SqlRecordRepository[Account]):
    table, kind, noted = accounts, Account, "account"

    def page(self, *, before: Cursor | None, limit: int, **narrowed: str | None) -> list[Account]:
        """By `account_id` the one account itself is meant."""
        return super().page(before=before, limit=limit, id=narrowed.get("account_id"))

"""Rows of accounts."""

from typing import Any

from msgspec import json, structs
from sqlalchemy import Connection, insert, select, update

from tollhouse.core.account import Account
from tollhouse.store.changes import note
from tollhouse.store.pages import Cursor, page
from tollhouse.store.records import record
from tollhouse.store.schema import accounts


class SqlAccountRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, account: Account) -> None:
        self._connection.execute(insert(accounts).values(_row(account)))
        note(self._connection, "account", account.id)

    def save(self, account: Account) -> None:
        self._connection.execute(update(accounts).where(accounts.c.id == account.id).values(_row(account)))
        note(self._connection, "account", account.id)

    def get(self, account_id: str) -> Account | None:
        row = self._connection.execute(select(accounts).where(accounts.c.id == account_id)).mappings().first()
        return None if row is None else _account(row)

    def page(self, *, before: Cursor | None, limit: int, account_id: str | None = None) -> list[Account]:
        question = select(accounts)
        if account_id is not None:
            question = question.where(accounts.c.id == account_id)
        question = page(question, accounts.c.created_at_ms, accounts.c.id, before, limit)
        return [_account(row) for row in self._connection.execute(question).mappings()]

    def list_all(self) -> list[Account]:
        return [_account(row) for row in self._connection.execute(select(accounts)).mappings()]


def _row(account: Account) -> dict[str, Any]:
    return structs.asdict(account) | {"groups": json.encode(account.groups).decode()}


def _account(row: Any) -> Account:
    return record(row, Account, as_json=("groups",))

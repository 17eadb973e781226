"""Rows of calls: one a call, written by the writer, read for receipts and lists."""

from collections.abc import Sequence

from msgspec import json
from sqlalchemy import Connection, select

from tollhouse.core.request import Request
from tollhouse.store.driver import Driver, clean
from tollhouse.store.pages import Place, page
from tollhouse.store.records import record
from tollhouse.store.schema import requests

_AS_JSON = ("tags", "attempts", "usage")
_COLUMNS = tuple(column.name for column in requests.columns)
_INSERT = f"INSERT INTO requests ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_encode = json.Encoder().encode


def insert(driver: Driver, batch: Sequence[Request]) -> None:
    """Write a row for each call. A second row for the same id is refused by the database."""
    driver.execute_many(_INSERT, [_row(call) for call in batch])


class Requests:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, request_id: str) -> Request | None:
        row = self._connection.execute(select(requests).where(requests.c.id == request_id)).mappings().first()
        return None if row is None else record(row, Request, as_json=_AS_JSON)

    def page(self, *, before: Place | None, limit: int, account_id: str | None = None) -> list[Request]:
        question = select(requests)
        if account_id is not None:
            question = question.where(requests.c.account_id == account_id)
        question = page(question, requests.c.time_ms, requests.c.id, before, limit)
        return [record(row, Request, as_json=_AS_JSON) for row in self._connection.execute(question).mappings()]


def _row(call: Request) -> tuple[object, ...]:
    """In the order of the columns; a test compares."""
    return (
        call.id,
        call.time_ms,
        call.account_id,
        call.project_id,
        call.key_id,
        call.mode,
        clean(call.model),
        call.dialect,
        call.operation,
        call.stream,
        call.status,
        call.error,
        call.ending,
        clean(call.client),
        _encode({clean(name): clean(value) for name, value in call.tags.items()}).decode(),
        call.provider,
        _encode(call.attempts).decode(),
        _encode(call.usage).decode(),
        call.usage_source,
        call.raw_usage,
        call.output_cap,
        call.admitted_ms,
        call.first_byte_ms,
        call.last_byte_ms,
    )

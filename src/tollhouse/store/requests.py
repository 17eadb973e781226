"""Rows of calls: one a call, written by the writer, read for receipts and lists."""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import convert, json
from sqlalchemy import Connection, select

from tollhouse.core.request import Request
from tollhouse.store.driver import Driver
from tollhouse.store.pages import Place, page
from tollhouse.store.schema import requests

_AS_JSON = ("tags", "attempts", "usage")
_COLUMNS = tuple(column.name for column in requests.columns)
_INSERT = f"INSERT INTO requests ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_encode = json.Encoder().encode


def insert(driver: Driver, batch: Sequence[Request]) -> None:
    """Write a row for each call. A second row for the same id is refused by the database."""
    driver.execute_many(_INSERT, [_row(record) for record in batch])


class Requests:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, request_id: str) -> Request | None:
        row = self._connection.execute(select(requests).where(requests.c.id == request_id)).mappings().first()
        return None if row is None else _record(row)

    def page(self, *, before: Place | None, limit: int, account_id: str | None = None) -> list[Request]:
        question = select(requests)
        if account_id is not None:
            question = question.where(requests.c.account_id == account_id)
        question = page(question, requests.c.time_ms, requests.c.id, before, limit)
        return [_record(row) for row in self._connection.execute(question).mappings()]


def clean(text: str) -> str:
    """Text as both databases can hold it: callers choose model names and tags, and a NUL or half a surrogate pair in
    them must not cost a call its record."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def _row(record: Request) -> tuple[object, ...]:
    """In the order of the columns; a test compares."""
    return (
        record.id,
        record.time_ms,
        record.account_id,
        record.project_id,
        record.key_id,
        record.mode,
        clean(record.model),
        record.dialect,
        record.operation,
        record.stream,
        record.status,
        record.error,
        record.ending,
        clean(record.client),
        _encode({clean(name): clean(value) for name, value in record.tags.items()}).decode(),
        record.provider,
        _encode(record.attempts).decode(),
        _encode(record.usage).decode(),
        record.usage_source,
        record.raw_usage,
        record.output_cap,
        record.admitted_ms,
        record.first_byte_ms,
        record.last_byte_ms,
    )


def _record(row: Mapping[Any, Any]) -> Request:
    decoded = {name: json.decode(row[name]) for name in _AS_JSON}
    return convert(dict(row) | decoded, Request)

"""Rows of calls: one a call, written by the writer, read for receipts and lists."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import json, structs
from sqlalchemy import ColumnElement, Connection, delete, func, literal_column, select, tuple_
from sqlalchemy import insert as sql_insert

from tollhouse.core.ids import time_of
from tollhouse.core.usage_record import FailureDetail, UsageRecord
from tollhouse.store.driver import Driver, Insertion, clean
from tollhouse.store.pages import Cursor, page
from tollhouse.store.schema import requests

_INSERT = Insertion(requests)
_CALLS_AT_ONCE = 5_000
RECORD_BYTES_MAX = 16_384  # beyond it a record loses what can be large: the raw usage, tags, limits
_encode = json.Encoder().encode
_decode = json.Decoder(UsageRecord).decode


def insert(driver: Driver, batch: Sequence[UsageRecord]) -> None:
    """Write a row for each call. A second row for the same id is refused by the database."""
    driver.insert(_INSERT, [(call.time_ms, call.id, call.account_id, _as_json(call)) for call in batch])


def note(connection: Connection, call: UsageRecord) -> None:
    """Write the row of a call that counts in no sum."""
    values = {"time_ms": call.time_ms, "id": call.id, "account_id": call.account_id, "record": _as_json(call)}
    connection.execute(sql_insert(requests).values(values))


def stands(driver: Driver, call: UsageRecord) -> bool:
    """Whether there is a row for a call, decided for good: who may still be writing it is waited for. Writes the row if
    there is none, so roll back."""
    row = call.time_ms, call.id, call.account_id, _as_json(call)
    return not driver.ask(f"{_INSERT.by_count[1]} ON CONFLICT DO NOTHING RETURNING id", row)


class SqlUsageRecordRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, request_id: str) -> UsageRecord | None:
        question = select(requests.c.record).where(
            requests.c.time_ms == time_of(request_id), requests.c.id == request_id
        )
        found = self._connection.execute(question).scalar()
        return None if found is None else _decode(found)

    def page(self, *, before: Cursor | None, limit: int, account_id: str | None = None) -> list[UsageRecord]:
        question = select(requests.c.record)
        if account_id is not None:
            question = question.where(requests.c.account_id == account_id)
        question = page(question, requests.c.time_ms, requests.c.id, before, limit)
        return [_decode(found) for found in self._connection.execute(question).scalars()]

    def dearest(
        self,
        exact: Mapping[str, str],
        *,
        account_id: str | None,
        model: str | None,
        statuses: tuple[int, int] | None,
        from_ms: int | None,
        to_ms: int | None,
        before: Cursor | None,
        looked_at: int,
        limit: int,
    ) -> tuple[list[UsageRecord], Cursor | None]:
        """Of the newest `looked_at` calls of [from_ms, to_ms) and `before` a place: those with a charge above nothing,
        the dearest first; and the place of the oldest that was looked at, None where no older one is left.

        exact: what members of the record are. model: one, or those that begin so (`gpt-4*`). The one question that
        looks into records: nothing is written for it by any call."""
        charge, place = self._member("charge", "amount", is_number=True), tuple_(requests.c.time_ms, requests.c.id)
        question = select(requests.c.record).where(charge > 0)
        within: list[ColumnElement[bool]] = []
        if account_id is not None:
            within.append(requests.c.account_id == account_id)
        if from_ms is not None:
            within.append(requests.c.time_ms >= from_ms)
        if to_ms is not None:
            within.append(requests.c.time_ms < to_ms)
        if before is not None:
            within.append(place < tuple_(*before))
        oldest = self._last_of(within, looked_at)
        if oldest is not None:
            within.append(place >= tuple_(*oldest))
        for name, value in exact.items():
            default = "other" if name == "client" else ""  # what a record leaves out
            question = question.where(func.coalesce(self._member(name), default) == value)
        if model is not None and model.endswith("*"):
            question = question.where(func.substr(self._member("model"), 1, len(model) - 1) == model[:-1])
        elif model is not None:
            question = question.where(self._member("model") == model)
        if statuses is not None:
            question = question.where(self._member("status", is_number=True).between(*statuses))
        question = question.where(*within).order_by(charge.desc(), requests.c.time_ms.desc()).limit(limit)
        return [_decode(found) for found in self._connection.execute(question).scalars()], oldest

    def _last_of(self, within: Sequence[ColumnElement[bool]], count: int) -> Cursor | None:
        """The place of the last of so many calls, the newest first; None where there are no more than these."""
        question = select(requests.c.time_ms, requests.c.id).where(*within)
        question = question.order_by(requests.c.time_ms.desc(), requests.c.id.desc()).limit(2).offset(count - 1)
        rows = self._connection.execute(question).all()
        return (rows[0].time_ms, rows[0].id) if len(rows) == 2 else None

    def _member(self, *path: str, is_number: bool = False) -> ColumnElement[Any]:
        """A member of the JSON of a record; path: names of ours."""
        if self._connection.dialect.name == "sqlite":
            return literal_column(f"json_extract(requests.record, '$.{'.'.join(path)}')")
        text = f"(requests.record::json #>> '{{{','.join(path)}}}')"
        return literal_column(f"{text}::bigint" if is_number else text)

    def within(self, from_ms: int, to_ms: int, after: Cursor | None, limit: int) -> list[UsageRecord]:
        """Calls of [from_ms, to_ms) behind a place, the oldest first."""
        place = tuple_(requests.c.time_ms, requests.c.id)
        question = select(requests.c.record).where(requests.c.time_ms >= from_ms, requests.c.time_ms < to_ms)
        if after is not None:
            question = question.where(place > tuple_(*after))
        question = question.order_by(requests.c.time_ms, requests.c.id).limit(limit)
        return [_decode(found) for found in self._connection.execute(question).scalars()]

    def delete_before(self, before_ms: int, limit: int) -> int:
        """Delete the oldest calls before an instant, at most so many; how many there were."""
        place = tuple_(requests.c.time_ms, requests.c.id)
        oldest = select(requests.c.time_ms, requests.c.id).where(requests.c.time_ms < before_ms)
        oldest = oldest.order_by(requests.c.time_ms, requests.c.id).limit(limit)
        return self._connection.execute(delete(requests).where(place.in_(oldest))).rowcount

    def oldest_ms(self) -> int | None:
        """When the oldest call came that is kept."""
        found: int | None = self._connection.execute(select(func.min(requests.c.time_ms))).scalar()
        return found

    def charged(self) -> Iterator[UsageRecord]:
        """Every call with a charge, the oldest first: for who checks all of them."""
        after: Cursor = (-1, "")
        while True:
            place = tuple_(requests.c.time_ms, requests.c.id)
            question = select(requests).where(place > tuple_(*after)).order_by(requests.c.time_ms, requests.c.id)
            rows = self._connection.execute(question.limit(_CALLS_AT_ONCE)).all()
            for row in rows:
                call = _decode(row.record)
                if call.charge is not None:
                    yield call
            if len(rows) < _CALLS_AT_ONCE:
                return
            after = rows[-1].time_ms, rows[-1].id


def _as_json(call: UsageRecord) -> str:
    try:
        text = _encode(call)
    except UnicodeEncodeError:  # half a surrogate pair
        text = _encode(_clean(call))
    if rb"\u0000" in text:
        text = _encode(_clean(call))
    if len(text) > RECORD_BYTES_MAX:
        text = _encode(_lean(_clean(call)))
    return text.decode()


def _lean(call: UsageRecord) -> UsageRecord:
    """A record that is too large, without what a caller or a provider has swollen."""
    return structs.replace(
        call, raw_usage=None, tags={}, dropped="", limits=call.limits[:8], counters=call.counters[:8]
    )


def _clean(call: UsageRecord) -> UsageRecord:
    tags = {clean(name): clean(value) for name, value in call.tags.items()}
    detail = call.detail
    if detail is not None:
        texts = {name: clean(text) for name, text in structs.asdict(detail).items()}
        detail = FailureDetail(**texts)
    return structs.replace(call, model=clean(call.model), client=clean(call.client), tags=tags, detail=detail)

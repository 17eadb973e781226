"""Roll-ups of usage: added to in the transaction of the calls they count, read by reports without reading calls."""

from collections.abc import Mapping, Sequence

from msgspec import structs
from sqlalchemy import ColumnElement, Connection, Table, func, select

from tollhouse.core.request import Request
from tollhouse.core.roll_up import UsageBy, UsageSum
from tollhouse.core.usage import BUCKETS, Usage
from tollhouse.store.driver import Driver, clean
from tollhouse.store.schema import usage_days, usage_quarters, usage_tags

DAY_MS = 86_400_000
QUARTER_MS = 900_000

_COUNTERS = ("calls", "failed", *BUCKETS)
_COLUMN: Mapping[UsageBy, str] = {
    "model": "model",
    "key": "key_id",
    "project": "project_id",
    "day": "start_ms",
    "tag": "tag",
}


def add(driver: Driver, batch: Sequence[Request]) -> None:
    """Add each call to its sums: a statement per table, a row per distinct group in the batch."""
    days: dict[tuple[object, ...], tuple[int, ...]] = {}
    quarters: dict[tuple[object, ...], tuple[int, ...]] = {}
    tags: dict[tuple[object, ...], tuple[int, ...]] = {}
    for record in batch:
        used = (1, int(record.status >= 400), *structs.astuple(record.usage))
        day = record.time_ms - record.time_ms % DAY_MS
        quarter = record.time_ms - record.time_ms % QUARTER_MS
        group = (record.project_id, record.key_id, clean(record.model), record.mode)
        _count(days, (record.account_id, day, *group), used)
        _count(quarters, (record.account_id, quarter, *group), used)
        for name, value in record.tags.items():
            _count(tags, (record.account_id, day, clean(f"{name}={value}"), record.mode), used)
    _write(driver, _ADD_DAYS, days)
    _write(driver, _ADD_QUARTERS, quarters)
    _write(driver, _ADD_TAGS, tags)


class UsageRows:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sums(
        self,
        by: UsageBy,
        *,
        from_ms: int,
        to_ms: int,
        account_id: str | None = None,
        key_id: str | None = None,
        mode: str | None = None,
    ) -> list[UsageSum]:
        """Sums over [from_ms, to_ms), by quarters of an hour where a bound is no day of UTC; tags only by whole days.

        Groups come in the order of their names. `key_id` does not bind the report by tag, whose sums know no key.
        """
        table = _table(by, from_ms, to_ms)
        group: ColumnElement[object] = table.c[_COLUMN[by]]
        if by == "day":
            group = table.c.start_ms - table.c.start_ms % DAY_MS
        question = select(group.label("grouped"), *(func.sum(table.c[name]).label(name) for name in _COUNTERS))
        question = question.where(table.c.start_ms >= from_ms, table.c.start_ms < to_ms).group_by(group).order_by(group)
        if account_id is not None:
            question = question.where(table.c.account_id == account_id)
        if key_id is not None and by != "tag":
            question = question.where(table.c.key_id == key_id)
        if mode is not None:
            question = question.where(table.c.mode == mode)
        return [
            UsageSum(
                group=str(row[0]),
                calls=int(row[1]),
                failed=int(row[2]),
                usage=Usage(**dict(zip(BUCKETS, map(int, row[3:]), strict=True))),
            )
            for row in self._connection.execute(question)
        ]


def _table(by: UsageBy, from_ms: int, to_ms: int) -> Table:
    if by == "tag":
        return usage_tags
    return usage_quarters if from_ms % DAY_MS or to_ms % DAY_MS else usage_days


def _count(sums: dict[tuple[object, ...], tuple[int, ...]], group: tuple[object, ...], used: tuple[int, ...]) -> None:
    before = sums.get(group)
    sums[group] = used if before is None else tuple(map(int.__add__, before, used))


def _write(driver: Driver, statement: str, sums: dict[tuple[object, ...], tuple[int, ...]]) -> None:
    if sums:
        # Sorted, so that two processes that add to the same sums lock them in the same order.
        driver.execute_many(statement, [(*group, *sums[group]) for group in sorted(sums, key=repr)])


def _adding(table: Table) -> str:
    columns = [column.name for column in table.columns]
    group = [column.name for column in table.primary_key]
    added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in _COUNTERS)
    return (
        f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
        f" ON CONFLICT ({', '.join(group)}) DO UPDATE SET {added}"
    )


_ADD_DAYS = _adding(usage_days)
_ADD_QUARTERS = _adding(usage_quarters)
_ADD_TAGS = _adding(usage_tags)

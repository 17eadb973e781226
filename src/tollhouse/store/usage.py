"""Roll-ups of usage: added to in the transaction of the calls they count, read by reports without reading calls."""

from collections.abc import Collection, Mapping, Sequence
from operator import add as add_up
from typing import Any, NamedTuple

from msgspec import structs
from sqlalchemy import ColumnElement, Connection, Select, Table, case, func, select

from tollhouse.core.roll_up import DAY_MS, HOUR_MS, QUARTER_MS, BucketSum, UsageBy, UsageSum, kind_of
from tollhouse.core.usage import BUCKETS, Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.driver import Driver, Insertion, clean
from tollhouse.store.tags import OTHER_TAGS, TagKey, summed_apart
from tollhouse.store.usage_schema import account_usage, usage, usage_tags

_COUNTERS = ("calls", "failed", "charge", *BUCKETS)
_MEASURED = ("charge", *BUCKETS)
_COLUMN: Mapping[UsageBy, str] = {
    "model": "model",
    "key": "key_id",
    "project": "project_id",
    "day": "start_ms",
    "tag": "tag",
    "dialect": "dialect",
    "operation": "operation",
}

_Group = tuple[Any, ...]
"""The primary key of a row of sums."""

_Used = tuple[int, ...]
"""In the order of _COUNTERS."""

_Sums = dict[_Group, _Used]


def add(driver: Driver, batch: Sequence[UsageRecord]) -> None:
    """Add each call to its sums: a row per distinct group in the batch."""
    used_by: dict[_Group, list[_Used]] = {}
    tagged: list[tuple[TagKey, set[str], _Used]] = []
    for call in batch:
        charge = call.charge.amount if call.charge is not None and call.mode == "live" else 0
        used = (1, int(call.status >= 400), charge, *structs.astuple(call.usage))
        time_ms, mode = call.time_ms, call.mode
        asked = call.dialect, call.operation
        group = call.project_id, call.key_id, clean(call.model), kind_of(call.operation), mode, *asked
        place = (QUARTER_MS, call.account_id, time_ms - time_ms % QUARTER_MS, *group)
        used_by.setdefault(place, []).append(used)
        if call.tags:
            read = {clean(f"{name}={value}") for name, value in call.tags.items()}  # some read alike: one tag, one call
            tagged.append(((call.account_id, time_ms - time_ms % DAY_MS, mode), read, used))
    quarters: _Sums = {
        place: uses[0] if len(uses) == 1 else tuple(map(sum, zip(*uses, strict=True)))
        for place, uses in used_by.items()
    }
    days: _Sums = {}
    wholes: _Sums = {}
    for (_, account_id, start_ms, project_id, key_id, model, kind, mode, *of), used in quarters.items():
        day_ms = start_ms - start_ms % DAY_MS
        _count(days, (DAY_MS, account_id, day_ms, project_id, key_id, model, kind, mode, *of), used)
        if mode == "live":
            _count(wholes, (account_id, HOUR_MS, kind, start_ms - start_ms % HOUR_MS, model, *of), used)
            _count(wholes, (account_id, DAY_MS, kind, day_ms, model, *of), used)
    _write(driver, _ADD, quarters | days)
    _write(driver, _ADD_WHOLE, wholes)
    if tagged:
        _write(driver, _ADD_TAGS, _by_tag(driver, tagged))


def _by_tag(driver: Driver, tagged: Sequence[tuple[TagKey, set[str], _Used]]) -> _Sums:
    asked: dict[TagKey, set[str]] = {}
    for place, tags, _ in tagged:
        asked.setdefault(place, set()).update(tags)
    apart = summed_apart(driver, asked)
    sums: _Sums = {}
    for place, tags, used in tagged:
        account_id, day_ms, mode = place
        for tag in {tag if tag in apart[place] else OTHER_TAGS for tag in tags}:
            _count(sums, (account_id, day_ms, tag, mode), used)
    return sums


class AccountTotal(NamedTuple):
    """`models`: how many have answered."""

    models: int
    calls: int
    failed: int
    charge: int


class SqlUsageRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def sums(
        self,
        by: UsageBy,
        *,
        from_ms: int,
        to_ms: int,
        account_id: str | None = None,
        project_id: str | None = None,
        key_id: str | None = None,
        dialect: str | None = None,
        operation: str | None = None,
        mode: str | None = None,
    ) -> list[UsageSum]:
        """Sums over [from_ms, to_ms), by quarters of an hour where a bound is no day of UTC; tags only by whole days.

        Groups come in the order of their names. The report by tag is bound by account and mode alone: its sums know no
        more.
        """
        table = usage_tags if by == "tag" else usage
        group: ColumnElement[object] = table.c[_COLUMN[by]]
        if by == "day":
            group = table.c.start_ms - table.c.start_ms % DAY_MS
        question = select(group.label("grouped"), *(func.sum(table.c[name]).label(name) for name in _COUNTERS))
        question = question.where(table.c.start_ms >= from_ms, table.c.start_ms < to_ms).group_by(group).order_by(group)
        if by != "tag":
            question = question.where(table.c.span_ms == (QUARTER_MS if from_ms % DAY_MS or to_ms % DAY_MS else DAY_MS))
        wanted = {"account_id": account_id, "mode": mode}
        if by != "tag":
            wanted |= {"project_id": project_id, "key_id": key_id, "dialect": dialect, "operation": operation}
        for name, one in wanted.items():
            if one is not None:
                question = question.where(table.c[name] == one)
        return [_usage_sum(row) for row in self._connection.execute(question)]

    def of_accounts(self, account_ids: Collection[str], *, from_ms: int, to_ms: int) -> list[tuple[str, UsageSum]]:
        """The sums of the live calls of each of these accounts over [from_ms, to_ms), both a start of a day of UTC:
        the account's id, with a model that has answered it."""
        by_model = _by_account_and_model(account_ids, from_ms, to_ms)
        answered = by_model.having(func.sum(account_usage.c.calls) > func.sum(account_usage.c.failed))
        return [(row[0], _usage_sum(row[1:])) for row in self._connection.execute(answered)]

    def totals_of_accounts(self, account_ids: Collection[str], *, from_ms: int, to_ms: int) -> dict[str, AccountTotal]:
        """The same summed over all models, a row an account; those without a call are left out."""
        each = _by_account_and_model(account_ids, from_ms, to_ms).subquery()
        answered = func.sum(case((each.c.calls > each.c.failed, 1), else_=0))
        question = select(
            each.c.account_id, answered, *(func.sum(each.c[name]) for name in ("calls", "failed", "charge"))
        ).group_by(each.c.account_id)
        return {row[0]: AccountTotal(*map(int, row[1:])) for row in self._connection.execute(question)}

    def in_buckets(
        self,
        kind: str | None,
        account_id: str,
        *,
        from_ms: int,
        to_ms: int,
        width_ms: int,
        by: Collection[str] = (),
        narrowed: Mapping[str, Sequence[str]],
    ) -> list[BucketSum]:
        """What an account's live calls used in each hour or day of UTC from `from_ms` to `to_ms`, both such a start.

        kind: see `core.roll_up.kind_of`; None: all. by: of `project_id`, `key_id`, `model`. narrowed: to some of them.
        Where no projects and no keys are told apart, few rows are read however many there are.
        """
        whole = {"project_id", "key_id"}.isdisjoint({*by, *narrowed})
        table = account_usage if whole else usage
        spans = (HOUR_MS, DAY_MS) if whole else (QUARTER_MS, DAY_MS)
        bucket: ColumnElement[int] = table.c.start_ms - table.c.start_ms % width_ms
        groups = [bucket, *(table.c[name] for name in by)]
        question = select(bucket.label("bucket"), *groups[1:], *(func.sum(table.c[name]) for name in _MEASURED))
        question = question.where(
            table.c.account_id == account_id,
            table.c.span_ms == spans[width_ms % DAY_MS == 0],
            table.c.start_ms >= from_ms,
            table.c.start_ms < to_ms,
        )
        if kind is not None:
            question = question.where(table.c.kind == kind)
        if not whole:
            question = question.where(table.c.mode == "live")
        for name, chosen in narrowed.items():
            question = question.where(table.c[name].in_(chosen))
        found = self._connection.execute(question.group_by(*groups).order_by(*groups))
        return [_bucket_sum(by, list(row)) for row in found]


def _by_account_and_model(account_ids: Collection[str], from_ms: int, to_ms: int) -> Select[Any]:
    table = account_usage
    sums = (func.sum(table.c[name]).label(name) for name in _COUNTERS)
    question = select(table.c.account_id, table.c.model, *sums).where(
        table.c.account_id.in_(account_ids),
        table.c.span_ms == DAY_MS,
        table.c.start_ms >= from_ms,
        table.c.start_ms < to_ms,
    )
    return question.group_by(table.c.account_id, table.c.model)


def _usage_sum(row: Sequence[Any]) -> UsageSum:
    return UsageSum(
        group=str(row[0]),
        calls=int(row[1]),
        failed=int(row[2]),
        charge=int(row[3]),
        usage=Usage(**dict(zip(BUCKETS, map(int, row[4:]), strict=True))),
    )


def _bucket_sum(by: Collection[str], row: list[Any]) -> BucketSum:
    start_ms, *named = row[: 1 + len(by)]
    charge, *used = map(int, row[1 + len(by) :])
    usage = Usage(**dict(zip(BUCKETS, used, strict=True)))
    return BucketSum(start_ms=int(start_ms), usage=usage, charge=charge, **dict(zip(by, named, strict=True)))


def _count(sums: _Sums, group: _Group, used: _Used) -> None:
    before = sums.get(group)
    sums[group] = used if before is None else tuple(map(add_up, before, used))


def _write(driver: Driver, statement: Insertion, sums: _Sums) -> None:
    # Sorted, so that two processes that add to the same sums lock them in the same order.
    driver.insert(statement, [group + sums[group] for group in sorted(sums)])


def _adding(table: Table) -> Insertion:
    group = ", ".join(column.name for column in table.primary_key)
    added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in _COUNTERS)
    return Insertion(table, f"ON CONFLICT ({group}) DO UPDATE SET {added}")


_ADD = _adding(usage)
_ADD_TAGS = _adding(usage_tags)
_ADD_WHOLE = _adding(account_usage)

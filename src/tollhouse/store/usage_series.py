"""Questions of the usage explorer to the roll-ups: the largest groups over some time, and each group's sums by span.

Every question is answered from the coarsest sums that its bounds, spans and filter allow: those of an account as a
whole where no key and no project is told apart, days where all falls on days of UTC.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, Table, case, func, literal_column, select

from tollhouse.core.roll_up import DAY_MS, HOUR_MS, QUARTER_MS, Metric, Spans, SummedBy, UsageFilter, UsageSum
from tollhouse.core.usage import BUCKETS, Usage
from tollhouse.store.schema import keys
from tollhouse.store.usage_schema import account_usage, usage, usage_tags

_COUNTERS: Final = ("calls", "failed", "charge", *BUCKETS)
_COLUMN: Final[Mapping[str, str]] = {
    "model": "model",
    "key": "key_id",
    "project": "project_id",
    "tag": "tag",
    "dialect": "dialect",
    "operation": "operation",
}
_MEMBER: Final = func.coalesce(keys.c.made_by, literal_column("''"))  # of a key that no person made: nothing
_TOKENS: Final = (
    *("input", "cache_read", "cache_write_5m", "cache_write_1h", "audio_in", "image_in"),
    *("output", "reasoning", "audio_out", "image_out"),
)
_MEASURED: Final[Mapping[Metric, tuple[str, ...]]] = {"spend": ("charge",), "requests": ("calls",), "tokens": _TOKENS}


class _SumTable(NamedTuple):
    """A table, and which of its rows hold the sums: those over so long a span; None: all."""

    table: Table
    span_ms: int | None


class SqlUsageSeriesRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def ranking(self, by: SummedBy, over: Spans, narrowed: UsageFilter, metric: Metric, limit: int) -> list[UsageSum]:
        """The largest groups of all the time together, the largest first."""
        sums = _sums(by, over, narrowed)
        group = _group(sums.table, by)
        rank = sum((func.sum(sums.table.c[name]) for name in _MEASURED[metric]), start=_number(0))
        question = _select(sums.table, by, _number(0), group).where(*_conditions(sums, over, narrowed))
        return self._ask(question.group_by(group).order_by(rank.desc(), group).limit(limit))

    def by_span(
        self, by: SummedBy | None, over: Spans, narrowed: UsageFilter, groups: Sequence[str] = ()
    ) -> list[UsageSum]:
        """Sums of each span in which something was used, of these groups each; by None: of all together, whose group
        is empty. A sum's `start_ms` may be off by an hour where clocks changed within its span."""
        sums = _sums(by, over, narrowed)
        start = _start(sums.table.c.start_ms, over)
        group: ColumnElement[Any] = literal_column("''") if by is None else _group(sums.table, by)
        question = _select(sums.table, by, start, group).where(*_conditions(sums, over, narrowed))
        if by is None:
            return self._ask(question.group_by(start).order_by(start))
        return self._ask(question.where(group.in_(groups)).group_by(start, group).order_by(start, group))

    def _ask(self, question: Any) -> list[UsageSum]:
        return [
            UsageSum(
                start_ms=int(start_ms),
                group=str(group),
                calls=int(calls),
                failed=int(failed),
                charge=int(charge),
                usage=Usage(**dict(zip(BUCKETS, map(int, used), strict=True))),
            )
            for start_ms, group, calls, failed, charge, *used in self._connection.execute(question)
        ]


def _group(table: Table, by: SummedBy) -> ColumnElement[Any]:
    return _MEMBER if by == "member" else table.c[_COLUMN[by]]


def _select(table: Table, by: SummedBy | None, *columns: ColumnElement[Any]) -> Select[Any]:
    question = select(*columns, *_totals(table))
    if by != "member":
        return question
    return question.select_from(table.outerjoin(keys, keys.c.id == table.c.key_id))


def _totals(table: Table) -> list[ColumnElement[Any]]:
    return [func.sum(table.c[name]) for name in _COUNTERS]


def _sums(by: SummedBy | None, over: Spans, narrowed: UsageFilter) -> _SumTable:
    if by == "tag":
        return _SumTable(usage_tags, None)
    bounds = [over.from_ms, over.to_ms]
    if over.width_ms is not None:
        bounds += [over.width_ms, *(shift for _, shift in over.shifts)]
    days = not any(bound % DAY_MS for bound in bounds)
    apart = by in ("key", "project", "member") or narrowed.key_id is not None or narrowed.project_id is not None
    if apart or narrowed.mode != "live" or any(bound % HOUR_MS for bound in bounds):
        return _SumTable(usage, DAY_MS if days else QUARTER_MS)
    return _SumTable(account_usage, DAY_MS if days else HOUR_MS)


def _conditions(sums: _SumTable, over: Spans, narrowed: UsageFilter) -> list[ColumnElement[bool]]:
    table = sums.table.c
    found = [table.start_ms >= over.from_ms, table.start_ms < over.to_ms]
    if sums.span_ms is not None:
        found.append(table.span_ms == sums.span_ms)
    if sums.table is not account_usage:
        found.append(table.mode == narrowed.mode)
    for name in ("account_id", "project_id", "key_id", "model", "dialect", "operation"):
        wanted = getattr(narrowed, name)
        if wanted is not None and name in table:
            found.append(table[name] == wanted)
    return found


def _start(time_ms: ColumnElement[int], over: Spans) -> ColumnElement[int]:
    if over.width_ms is None:
        return _number(over.from_ms)
    shift = _number(over.shifts[-1][1])
    if len(over.shifts) > 1:
        shift = case(*((time_ms < _number(until), _number(one)) for until, one in over.shifts[:-1]), else_=shift)
    return time_ms - (time_ms + shift) % _number(over.width_ms)


def _number(number: int) -> ColumnElement[int]:
    """Written into the statement: PostgreSQL takes no parameter of one place for the same of another, so that what is
    selected would not be what is grouped by."""
    return literal_column(str(number))

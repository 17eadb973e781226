"""What accounts, projects and keys were charged, summed per model and span of time in the transaction of the charges.

Each charge counts in four spans, a tree: days of UTC, thirds of a day, hours, quarters of an hour. A stretch of time is
read in the largest that fit, so a month of UTC costs a row a day and model; where days begin elsewhere, they cost about
ten, and no stretch that begins and ends on a quarter of an hour costs its quarters.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import Connection, func, literal_column, select

from tollhouse.core.roll_up import DAY_MS, HOUR_MS, QUARTER_MS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.driver import Driver, Insertion, clean
from tollhouse.store.usage_schema import spend_sums

SPANS = (QUARTER_MS, HOUR_MS, DAY_MS // 3, DAY_MS)
"""Each is a multiple of the one before, and each begins with 1970."""

_ADD = Insertion(
    spend_sums,
    "ON CONFLICT (object_id, span_ms, start_ms, model) DO UPDATE SET charge = spend_sums.charge + excluded.charge",
)

_Place = tuple[str, int, int, str]
"""The primary key of a sum."""


def add(driver: Driver, batch: Sequence[UsageRecord]) -> None:
    """Add each charge to its sums. Test mode is free."""
    charged: dict[tuple[str, str, str, int, str], int] = {}
    for call in batch:
        if call.charge is not None and call.charge.amount and call.mode == "live":
            start_ms = call.time_ms - call.time_ms % QUARTER_MS
            group = call.account_id, call.project_id, call.key_id, start_ms, call.model
            charged[group] = charged.get(group, 0) + call.charge.amount
    sums: dict[_Place, int] = {}
    for (account_id, project_id, key_id, start_ms, model), amount in charged.items():
        name = clean(model)
        for span_ms in SPANS:
            begins_ms = start_ms - start_ms % span_ms
            for object_id in (account_id, project_id, key_id):
                place = object_id, span_ms, begins_ms, name
                sums[place] = sums.get(place, 0) + amount
    # Sorted, so that two processes that add to the same sums lock them in the same order.
    driver.insert(_ADD, [(*place, sums[place]) for place in sorted(sums)])


class SqlSpendRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_model(self, object_id: str, edges: Sequence[int]) -> list[dict[str, int]]:
        """What an account, a project or a key was charged, in nano-USD by model, between each edge and the next.

        edges: ascending Unix milliseconds, each a quarter of an hour.
        """
        buckets: list[dict[str, int]] = [defaultdict(int) for _ in edges[1:]]
        first_ms = self._first_ms(object_id)
        if first_ms is None:
            return buckets
        table = spend_sums.c
        for run in runs([max(edge, first_ms) for edge in edges]):
            question = select(table.start_ms, table.model, table.charge).where(
                table.object_id == object_id,
                table.span_ms == run.span_ms,
                table.start_ms >= run.start_ms,
                table.start_ms < run.end_ms,
            )
            bucket = run.bucket
            for start_ms, model, charge in self._connection.execute(question.order_by(table.start_ms)):
                while start_ms >= edges[bucket + 1]:
                    bucket += 1
                buckets[bucket][model] += charge
        return buckets

    def total(self, object_id: str, to_ms: int) -> int:
        """What it was charged before the start of a day of UTC, in nano-USD."""
        table = spend_sums.c
        question = select(func.coalesce(func.sum(table.charge), literal_column("0"))).where(
            table.object_id == object_id, table.span_ms == DAY_MS, table.start_ms < to_ms
        )
        return int(self._connection.execute(question).scalar_one())

    def of_days(self, object_id: str, from_ms: int, to_ms: int, model: str | None = None) -> dict[int, int]:
        """What it was charged in each day of UTC of [from_ms, to_ms) with a charge, in nano-USD by the day's start.
        model: count this one only, or those that begin so where it ends in `*`."""
        table = spend_sums.c
        question = select(table.start_ms, func.sum(table.charge)).where(
            table.object_id == object_id, table.span_ms == DAY_MS, table.start_ms >= from_ms, table.start_ms < to_ms
        )
        if model is not None:
            is_pattern, name = model.endswith("*"), model.removesuffix("*")
            question = question.where(
                func.substr(table.model, 1, len(name)) == name if is_pattern else table.model == name
            )
        found = self._connection.execute(question.group_by(table.start_ms).order_by(table.start_ms))
        return {int(start_ms): int(charge) for start_ms, charge in found}

    def by_day(self, object_id: str, span_ms: int) -> Mapping[int, int]:
        """For whoever checks: nano-USD by start of a day of UTC, as the sums over spans of one size have it."""
        table = spend_sums.c
        day = table.start_ms - table.start_ms % DAY_MS
        question = select(day, func.sum(table.charge)).where(table.object_id == object_id, table.span_ms == span_ms)
        return {int(start_ms): int(charge) for start_ms, charge in self._connection.execute(question.group_by(day))}

    def _first_ms(self, object_id: str) -> int | None:
        """The first day with a charge: who asks since the beginning of time is not answered by looking through it."""
        table = spend_sums.c
        question = select(func.min(table.start_ms)).where(table.object_id == object_id, table.span_ms == DAY_MS)
        found: int | None = self._connection.execute(question).scalar()
        return found


class Run(NamedTuple):
    """Spans of one size, one after the other; the first of them lies in `bucket`."""

    span_ms: int
    start_ms: int
    end_ms: int
    bucket: int


def runs(edges: Sequence[int]) -> Iterator[Run]:
    """The fewest spans that fill the time from the first edge to the last, and lie across none between."""
    last: Run | None = None
    for bucket, (start_ms, end_ms) in enumerate(pairwise(edges)):
        for span_ms, from_ms, to_ms in _filled(start_ms, end_ms):
            if last is not None and (last.span_ms, last.end_ms) == (span_ms, from_ms):
                last = last._replace(end_ms=to_ms)
            else:
                if last is not None:
                    yield last
                last = Run(span_ms, from_ms, to_ms, bucket)
    if last is not None:
        yield last


def _filled(start_ms: int, end_ms: int) -> Iterator[tuple[int, int, int]]:
    """(span, from, to): upwards from small spans to the largest that fits, and down again."""
    for span_ms, larger_ms in pairwise(SPANS):
        stop_ms = min(start_ms + -start_ms % larger_ms, end_ms - end_ms % span_ms)
        if start_ms < stop_ms:
            yield span_ms, start_ms, stop_ms
            start_ms = stop_ms
    for span_ms in reversed(SPANS):
        stop_ms = end_ms - end_ms % span_ms
        if start_ms < stop_ms:
            yield span_ms, start_ms, stop_ms
            start_ms = stop_ms

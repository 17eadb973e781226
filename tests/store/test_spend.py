"""What accounts, projects and keys spent is summed with the charges, and read in few rows for any stretch of time."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.store.harness import on_disk, writing
from tests.store.samples import NOW_MS, FixedClock
from tests.store.test_charges import call
from tollhouse.billing.span import Span, day_edges
from tollhouse.core.roll_up import HOUR_MS
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store import migration
from tollhouse.store.database import open_store
from tollhouse.store.engines import connect
from tollhouse.store.spend import SPANS, runs

QUARTER, DAY = 900_000, 86_400_000
DAY_0 = NOW_MS - NOW_MS % DAY
_UNKNOWN = {"dialect": "unknown", "operation": "unknown"}
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns")


def commit(url: str, calls: Sequence[UsageRecord]) -> None:
    async def scenario() -> None:
        async with writing(url) as (writer, _):
            await asyncio.gather(*(writer.commit(one) for one in calls))

    asyncio.run(scenario())


def by_model(url: str, object_id: str, edges: Sequence[int]) -> list[dict[str, int]]:
    return on_disk(url, lambda tables: tables.spend.by_model(object_id, edges))


quarters = st.integers(0, 40 * 96).map(lambda place: DAY_0 + place * QUARTER)


@given(st.lists(quarters, min_size=1, max_size=6, unique=True).map(sorted))
def test_the_time_between_the_edges_is_filled_once_and_no_span_lies_across_one(edges: list[int]) -> None:
    filled: list[int] = []
    for run in runs(edges):
        assert run.span_ms in SPANS
        assert run.start_ms % run.span_ms == run.end_ms % run.span_ms == 0
        assert edges[run.bucket] <= run.start_ms < edges[run.bucket + 1]
        inner = [edge for edge in edges if run.start_ms < edge < run.end_ms]
        assert all(edge % run.span_ms == 0 for edge in inner)
        filled += range(run.start_ms, run.end_ms, QUARTER)
    assert filled == list(range(edges[0], edges[-1], QUARTER))


@given(quarters, quarters)
def test_no_stretch_of_time_takes_many_spans(one: int, other: int) -> None:
    start, end = sorted((one, other))
    spans = sum((run.end_ms - run.start_ms) // run.span_ms for run in runs([start, end]))
    assert spans <= (end - start) // DAY + 2 * (3 + 7 + 2)


@pytest.mark.parametrize(("zone", "most"), [("UTC", 31), ("Asia/Shanghai", 93), ("Europe/Berlin", 310)])
def test_the_days_of_a_month_take_few_spans_in_every_zone(zone: str, most: int) -> None:
    edges = day_edges(Span(DAY_0, DAY_0 + 31 * DAY), DAY_0 + 99 * DAY, zone)
    assert sum((run.end_ms - run.start_ms) // run.span_ms for run in runs(edges[1:-1])) <= most


def test_each_charge_counts_for_its_account_project_and_key_and_for_no_other(database_url: str) -> None:
    at = DAY_0 + 10 * HOUR_MS + 7
    commit(
        database_url,
        [
            call(1, 5, time_ms=at, model="a"),
            call(2, 7, time_ms=at + QUARTER, model="b", key_id="key_2", overrun=3),
            call(3, 11, time_ms=at + DAY, model="a", key_id="key_3", project_id="proj_2"),
            call(4, 13, time_ms=at, model="a", account_id="acc_2", project_id="proj_9", key_id="key_9"),
            call(5, 17, time_ms=at, mode="test"),
            call(6, 0, time_ms=at, model="free"),
            call(7, None, time_ms=at, status=500),
        ],
    )
    edges = [DAY_0, DAY_0 + DAY, DAY_0 + 2 * DAY]
    assert by_model(database_url, "acc_1", edges) == [{"a": 5, "b": 7}, {"a": 11}]
    assert by_model(database_url, "proj_1", edges) == [{"a": 5, "b": 7}, {}]
    assert by_model(database_url, "proj_2", edges) == [{}, {"a": 11}]
    assert by_model(database_url, "key_1", edges) == [{"a": 5}, {}]
    assert by_model(database_url, "key_2", edges) == [{"b": 7}, {}]
    assert by_model(database_url, "acc_2", edges) == [{"a": 13}, {}]
    assert by_model(database_url, "acc_3", edges) == [{}, {}]
    assert by_model(database_url, "acc_1", [at - 7, at - 7 + QUARTER, at - 7 + 2 * QUARTER]) == [{"a": 5}, {"b": 7}]
    for span_ms in SPANS:
        assert on_disk(database_url, lambda tables, of=span_ms: tables.spend.by_day("acc_1", of)) == {  # type: ignore[misc]
            DAY_0: 12,
            DAY_0 + DAY: 11,
        }


def test_whoever_asks_since_the_beginning_of_time_is_answered_from_where_there_is_something(database_url: str) -> None:
    commit(database_url, [call(1, 5, time_ms=DAY_0 + 1, model="a")])
    edges = day_edges(Span(0, DAY_0 + DAY), DAY_0 + 9 * DAY, "Europe/Berlin")
    assert len(edges) > 20_000
    found = by_model(database_url, "acc_1", edges)
    assert len(found) == len(edges) - 1
    assert [one for one in found if one] == [{"a": 5}]
    assert by_model(database_url, "acc_1", [DAY_0 + DAY]) == []
    assert by_model(database_url, "acc_1", [DAY_0 - 2 * DAY, DAY_0 - DAY]) == [{}]


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[tuple[int, str, int]]]:
    """A database with three days of charges, a few in every hour, and a plain list of them."""
    url = f"sqlite:///{tmp_path_factory.mktemp('spend')}/tollhouse.db"
    calls = [
        call(number, 1 + number % 97, time_ms=DAY_0 + number * 1_234_567, model=f"m{number % 3}")
        for number in range(210)
    ]
    commit(url, calls)
    return url, [(one.time_ms, one.model, one.charge.amount) for one in calls if one.charge is not None]


@given(
    st.sampled_from(ZONES),
    st.integers(-96, 3 * 96).map(lambda place: DAY_0 + place * QUARTER),
    st.integers(0, 5 * 96).map(lambda count: count * QUARTER),
)
def test_a_bill_is_what_a_slow_look_through_all_charges_finds(
    spent: tuple[str, list[tuple[int, str, int]]], zone: str, start: int, length: int
) -> None:
    url, charges = spent
    edges = day_edges(Span(start, start + length), DAY_0 + 99 * DAY, zone)
    slow = []
    for from_ms, to_ms in pairwise(edges):
        sums: dict[str, int] = defaultdict(int)
        for time_ms, model, amount in charges:
            if from_ms <= time_ms < to_ms:
                sums[model] += amount
        slow.append(sums)
    assert by_model(url, "key_1", edges) == slow


def test_usage_in_buckets_is_the_same_from_whole_accounts_and_from_their_keys(database_url: str) -> None:
    calls = [
        call(
            number,
            number,
            time_ms=DAY_0 + number * 2 * HOUR_MS,
            model=f"m{number % 2}",
            key_id=f"key_{number % 3}",
            operation="embeddings" if number % 4 == 0 else ("chat", "responses")[number % 2],
            mode="test" if number % 7 == 0 else "live",
            usage=Usage(input=number, output=2 * number, cache_read=1, requests=1),
            tags={},
        )
        for number in range(1, 30)
    ]
    commit(database_url, calls)
    for width in (HOUR_MS, DAY):
        where: dict[str, Any] = {"from_ms": DAY_0, "to_ms": DAY_0 + 3 * DAY, "width_ms": width}

        def used(by: Sequence[str], kind: str | None = "completions", where: Any = where, **narrowed: Any) -> Any:
            return on_disk(
                database_url,
                lambda tables: tables.usage.in_buckets(kind, "acc_1", by=by, narrowed=narrowed, **where),
            )

        whole = {(one.start_ms, one.model): (one.usage, one.charge) for one in used(["model"])}
        summed: dict[Any, list[Any]] = defaultdict(list)
        for one in used(["key_id", "model"]):
            summed[one.start_ms, one.model].append(one)
        assert whole == {
            place: (
                Usage(
                    input=sum(one.usage.input for one in parts),
                    output=sum(one.usage.output for one in parts),
                    cache_read=sum(one.usage.cache_read for one in parts),
                    requests=sum(one.usage.requests for one in parts),
                ),
                sum(one.charge for one in parts),
            )
            for place, parts in summed.items()
        }
        live = [one for one in calls if one.mode == "live"]
        assert sum(one.usage.requests for one in used([], None)) == len(live)
        texts = [one for one in live if one.operation != "embeddings"]
        assert sum(one.usage.requests for one in used([])) == len(texts)
        assert {one.key_id for one in used(["key_id"], key_id=["key_1"])} == {"key_1"}
        assert sum(one.usage.requests for one in used([], model=["m1"])) == len([o for o in texts if o.model == "m1"])


def test_a_database_from_before_gets_the_sums_that_would_have_been_written(empty_database_url: str) -> None:
    """Charges of several owners, hours and days; what the migration fills in is what new charges would have made."""
    calls = [
        call(
            number,
            number,
            time_ms=DAY_0 + number * 5_000_000,
            model=f"m{number % 2}",
            account_id=f"acc_{number % 2}",
            project_id=f"proj_{number % 4}",
            key_id=f"key_{number % 8}",
            operation="chat",
            usage=Usage(input=number, output=1, requests=1),
            tags={},
        )
        for number in range(1, 60)
    ]
    commit(empty_database_url, calls)
    written = _sums(empty_database_url)
    engines = connect(empty_database_url, Path())
    with engines.writing.begin() as connection:
        _as_it_was_before(connection)
    engines.dispose()
    for revision in ("0002", "0017", "0018"):
        _migrate(empty_database_url, lambda module: module.upgrade(), revision)
    assert _sums(empty_database_url) == {
        table: {frozenset({**dict(row), **(_UNKNOWN if "usage" in table else {})}.items()) for row in rows}
        for table, rows in written.items()
    }

    async def again() -> None:
        store = open_store(empty_database_url, create=False, clock=FixedClock())
        await store.writer.commit(call(99, 1, time_ms=DAY_0, model="m0", account_id="acc_0"))
        await store.close()

    asyncio.run(again())


def _sums(url: str) -> dict[str, set[frozenset[tuple[str, object]]]]:
    engines = connect(url, Path())
    with engines.reading.begin() as connection:
        found = {
            table: {
                frozenset((str(name), value) for name, value in row._mapping.items())
                for row in connection.execute(text(f"SELECT * FROM {table}"))
            }
            for table in ("usage", "account_usage", "spend_sums")
        }
    engines.dispose()
    return found


def _as_it_was_before(connection: Any) -> None:
    """Back to the first revision, as far as these tables go: without `kind`, what was asked, searches, and the new
    sums."""
    connection.execute(text("ALTER TABLE usage_tags DROP COLUMN searches"))
    connection.execute(text("DROP TABLE account_usage"))
    connection.execute(text("DROP TABLE spend_sums"))
    connection.execute(text("ALTER TABLE usage RENAME TO usage_now"))
    if connection.dialect.name != "sqlite":
        connection.execute(text("ALTER TABLE usage_now DROP CONSTRAINT pk_usage"))
    kept = [row[0] for row in connection.execute(text("SELECT * FROM usage_now")).cursor.description]
    names = ", ".join(name for name in kept if name not in ("kind", "dialect", "operation", "searches"))
    place = "span_ms, account_id, start_ms, project_id, key_id, model, mode"
    connection.execute(text(f"CREATE TABLE usage AS SELECT {names} FROM usage_now"))
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"ALTER TABLE usage ADD CONSTRAINT pk_usage PRIMARY KEY ({place})"))
    connection.execute(text("DROP TABLE usage_now"))


def refilled(url: str) -> None:
    """Make all sums anew from `usage`, as the migrations do."""
    engines = connect(url, Path())
    with engines.writing.begin() as connection:
        connection.execute(text("DROP TABLE account_usage"))
        connection.execute(text("DROP TABLE spend_sums"))
        connection.execute(text("ALTER TABLE usage_tags DROP COLUMN searches"))
    engines.dispose()
    _migrate(url, _sum_all)
    for revision in ("0017", "0018"):
        _migrate(url, lambda module: module.upgrade(), revision)


def _sum_all(revision: Any) -> None:
    revision._sum_whole_accounts()
    revision._sum_spending()


def _migrate(url: str, transaction: Callable[[Any], None], revision_id: str = "0002") -> None:
    """Run (a part of) the revision that made these tables, or of a later one, as Alembic runs it."""
    revision = ScriptDirectory.from_config(migration._configuration(None)).get_revision(revision_id)
    assert revision is not None
    engines = connect(url, Path())
    with engines.writing.begin() as connection, Operations.context(MigrationContext.configure(connection)):
        transaction(revision.module)
    engines.dispose()

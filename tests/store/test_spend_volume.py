"""Bills, usage and costs of an account with very many requests read few rows: counted by PostgreSQL itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import event

from tests.services.harness import NOW_MS, OPERATOR, SettableClock
from tests.store.test_spend import refilled
from tollhouse.clock import SystemRandom
from tollhouse.core.account import Identity
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.services import accounts, bills, budgets, credits, keys, organization, projects  # noqa: A004 - the noun
from tollhouse.services.context import ServiceContext
from tollhouse.services.organization import UsageQuestion
from tollhouse.store.database import Store, open_store

ROWS_MAX = 2_000
LEDGER_MAX = 1_000_000  # entries: enough to be seen where they are looked through
DAYS, MODELS, KEYS, PROJECTS = 90, 5, 20, 4
TODAY = NOW_MS - NOW_MS % DAY_MS


@pytest.mark.parametrize("requests", [50_000, pytest.param(5_000_000, marks=pytest.mark.long)])
def test_what_a_bill_reads_does_not_grow_with_the_requests(postgresql_database_url: str, requests: int) -> None:
    asyncio.run(_scenario(postgresql_database_url, requests))


async def _scenario(url: str, requests: int) -> None:
    clock = SettableClock()
    store = open_store(url, create=False, clock=clock)
    services = ServiceContext(rows=store, directory=await store.load_directory(), clock=clock, random=SystemRandom())
    try:
        caller = await _founded(services)
        _filled(url, caller, requests)
        told = await _told(store, services, caller)
    finally:
        await services.finish()
        await store.close()
    for name, statements in told.items():
        read = sum(_rows_read(url, statement, values) for statement, values in statements)
        assert 0 < read <= ROWS_MAX, (name, read)
    every_request = _rows_read(url, "SELECT count(*) FROM requests", {})
    assert every_request >= requests  # the count counts


async def _founded(services: ServiceContext) -> Identity:
    account = await accounts.create(services, OPERATOR, name="large")
    await credits.grant(services, OPERATOR, account.id, "5000")
    for number in range(1, PROJECTS):
        await projects.create(services, OPERATOR, name=f"project {number}", account=account.id)
    owned = [one.id for one in services.directory.projects.values()]
    for number in range(KEYS):
        made = await keys.create(services, OPERATOR, name=f"key {number}", project=owned[number % PROJECTS])
    found = services.directory.find(made.key.secrets[0].digest)
    assert found is not None
    return found


async def _told(store: Store, services: ServiceContext, caller: Identity) -> dict[str, list[Any]]:
    """Each action once, with the statements by which it read."""
    account_id = caller.account.id
    days = UsageQuestion(from_ms=TODAY - 30 * DAY_MS, to_ms=TODAY + DAY_MS, width_ms=DAY_MS, by=("model",))
    hours = UsageQuestion(from_ms=TODAY - 7 * DAY_MS, to_ms=TODAY, width_ms=HOUR_MS, by=("model",))
    half_a_year = UsageQuestion(from_ms=TODAY - 179 * DAY_MS, to_ms=TODAY + DAY_MS, width_ms=DAY_MS, by=("model",))
    non_charges: dict[str, Callable[[], Awaitable[Any]]] = {
        "subscription": lambda: bills.subscription(services, caller),
        "usage": lambda: bills.spent(services, caller),
        "usage of all time": lambda: bills.spent(services, caller, "2020-01-01", "2030-01-01"),
        "credit grants": lambda: bills.credits_of(services, caller),
        "completions by day": lambda: organization.usage(services, account_id, "completions", days),
        "completions by hour": lambda: organization.usage(services, account_id, "completions", hours),
        "costs": lambda: organization.costs(services, account_id, half_a_year),
    }
    told = {}
    for name, transaction in non_charges.items():
        with _watched(store) as statements:
            assert await transaction()
        told[name] = list(statements)
    for zone in ("Asia/Shanghai", "Europe/Berlin"):
        with _watched(store) as statements:
            await budgets.put(services, OPERATOR, amount_usd="5000", window="month", account=account_id, zone=zone)
            told[f"a budget in {zone}"] = list(statements)
            statements.clear()
            shown = (await bills.subscription(services, caller)).shown
            bill = await bills.spent(services, caller)
            told[f"a bill in {zone}"] = list(statements)
        assert (shown.binds, shown.hard - bill.total) == ("budget", shown.left)
        assert len(bill.days) > 5
    return told


@contextmanager
def _watched(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT that is sent to the database meanwhile, with its values."""
    seen: list[tuple[str, Any]] = []

    def note(connection: Any, cursor: Any, statement: str, values: Any, *rest: Any) -> None:
        if statement.lstrip().startswith("SELECT"):
            seen.append((statement, values))

    engines = (store.engines.reading, store.engines.writing)
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def _rows_read(url: str, statement: str, values: Any) -> int:
    with psycopg.connect(url) as connection:
        explained = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}".encode(), values).fetchone()
    assert explained is not None
    return sum(_seen(node) for node in _nodes(explained[0][0]["Plan"]) if "Relation Name" in node)


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _seen(scan: dict[str, Any]) -> int:
    """Rows a scan has looked at, those that it then dropped included."""
    removed = scan.get("Rows Removed by Filter", 0) + scan.get("Rows Removed by Index Recheck", 0)
    return int((scan["Actual Rows"] + removed) * scan["Actual Loops"])


def _filled(url: str, caller: Identity, requests: int) -> None:
    """The rows of so many calls, evenly over the days before now: calls, ledger, usage, and the sums made from it."""
    account_id, first_ms = caller.account.id, TODAY - (DAYS - 1) * DAY_MS
    step_ms = (NOW_MS - first_ms) / requests
    call = f"""
        SELECT n, ({first_ms} + (n * {step_ms})::bigint) AS time_ms, 'm' || n % {MODELS} AS model,
        (SELECT array_agg(id ORDER BY id) FROM keys)[1 + (n / 7) % {KEYS}] AS key_id
        FROM generate_series(1, {requests}) n
    """
    with psycopg.connect(url) as connection:
        for table in ("requests", "ledger", "usage"):  # a crash may empty them: this is about reading
            connection.execute(f"ALTER TABLE {table} SET UNLOGGED".encode())
        connection.execute(
            f"INSERT INTO requests SELECT time_ms, 'req_' || n, '{account_id}', '{{}}' FROM ({call}) calls".encode()
        )
        connection.execute(
            f"""INSERT INTO ledger (account_id, sequence, id, kind, amount, balance, counter, time_ms, request_id,
            previous, hash) SELECT '{account_id}', n + 10, 'txn_' || n, 'charge', -1000, 0, 'platform:revenue', time_ms,
            'req_' || n, '', '' FROM ({call}) calls WHERE n <= {LEDGER_MAX}""".encode()
        )
        connection.execute(
            f"""INSERT INTO usage SELECT 900000, '{account_id}', time_ms - time_ms % 900000, project_id, key_id, model,
            'completions', 'live', 'openai', 'chat', count(*), 0, sum(1000), sum(10), 0, 0, 0, sum(20), 0, 0, 0, 0, 0,
            count(*), 0, 0, 0 FROM ({call}) calls JOIN keys ON keys.id = key_id
            GROUP BY time_ms - time_ms % 900000, project_id, key_id, model""".encode()
        )
    refilled(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(b"VACUUM ANALYZE")

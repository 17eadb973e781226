"""What a page asks the database for: few questions and few rows, however many calls there are."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

import pytest
from msgspec import json, structs
from sqlalchemy import event

from tests.admin.harness import AdminHarness
from tests.console.harness import Browser
from tollhouse.core.charge import Charge
from tollhouse.core.ids import make_id
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import UsageRecord

QUERIES_MAX, ROWS_MAX = 10, 2_000
CALLS, SUMMED = 50_000, 3_000
PAGES = (
    "/console/",
    "/console/usage",
    "/console/usage?span=7d&every=hour",
    "/console/usage?span=90d&by=key&metric=tokens",
    "/console/usage?span=1y&by=tag",
    "/console/usage?span=1h",
    "/console/usage?span=24h&by=client",
    "/console/usage.csv?span=7d&every=hour",
    "/console/requests",
    "/console/requests?client=none",
    "/console/requests?status=failed",
    "/console/requests?order=dearest",
    "RECEIPT",
)


class Reads:
    """Statements that readers executed, and rows they fetched."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.rows = 0

    def row(self, cursor: object, values: tuple[Any, ...]) -> tuple[Any, ...]:
        self.rows += 1
        return values


@contextmanager
def counted(admin: AdminHarness) -> Iterator[Reads]:
    reads, engine = Reads(), admin.store.engines.reading

    def on_statement(connection: Any, cursor: Any, statement: str, *rest: object) -> None:
        if not statement.startswith("BEGIN"):  # no question
            reads.statements.append(statement)

    def on_checkout(connection: sqlite3.Connection, *rest: object) -> None:
        connection.row_factory = reads.row

    def on_checkin(connection: sqlite3.Connection, *rest: object) -> None:
        connection.row_factory = None

    listening = (
        ("before_cursor_execute", on_statement), ("checkout", on_checkout), ("checkin", on_checkin),
    )  # fmt: skip
    for name, listener in listening:
        event.listen(engine, name, listener)
    try:
        yield reads
    finally:
        for name, listener in listening:
            event.remove(engine, name, listener)


def fill(admin: AdminHarness) -> str:
    """Calls of 80 days, the more the later; the sums of some of them. The answer is the id of one."""
    random = Random(7)
    sample = admin.record("alpha-live", 1, tags={"team": "a"})

    def made(number: int) -> UsageRecord:
        time_ms = admin.clock.ms - int(random.random() ** 4 * 80 * DAY_MS)
        return structs.replace(
            sample,
            id=make_id("req", time_ms, number.to_bytes(10, "big")),
            time_ms=time_ms,
            model=f"model-{random.randrange(30)}",
            client=f"client {random.randrange(9)}",
            status=random.choice((200, 200, 200, 429)),
            tags={"team": f"t{random.randrange(12)}"},
            usage=Usage(input=random.randrange(5_000), output=random.randrange(500), requests=1),
            charge=Charge(amount=random.randrange(10_000_000), price_id=None),
        )

    calls = [made(number) for number in range(CALLS)]

    async def commit() -> None:
        await asyncio.gather(*(admin.store.writer.commit(call) for call in calls[:SUMMED]))

    admin.runner.run(commit())
    rows = [(call.time_ms, call.id, call.account_id, json.encode(call).decode()) for call in calls[SUMMED:]]
    connection = sqlite3.connect(admin.folder / "tollhouse.db")
    connection.executemany("INSERT INTO requests (time_ms, id, account_id, record) VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return calls[0].id


@pytest.fixture
def busy(admin: AdminHarness, owner: Browser) -> tuple[Browser, str]:
    return owner, fill(admin)


def test_page_reads_little_of_many_calls(admin: AdminHarness, busy: tuple[Browser, str]) -> None:
    owner, request_id = busy
    seen = {}
    for path in PAGES:
        with counted(admin) as reads:
            assert owner.get(path.replace("RECEIPT", f"/console/requests/{request_id}")).status == 200
        seen[path] = len(reads.statements), reads.rows
    assert {path: read for path, read in seen.items() if read[0] > QUERIES_MAX or read[1] > ROWS_MAX} == {}
    assert seen["/console/requests"][1] > 50, "rows are counted"

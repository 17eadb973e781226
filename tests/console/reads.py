"""What pages ask a database for, counted; and a database with many calls to ask."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any, Final

from msgspec import json, structs
from sqlalchemy import event

from tests.admin.harness import AdminHarness
from tollhouse.console.route import ConsolePage, discovered
from tollhouse.core.charge import Charge
from tollhouse.core.ids import make_id
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.usage import BUCKETS, Usage
from tollhouse.core.usage_record import UsageRecord

QUERIES_MAX: Final = 10
ROWS_MAX: Final = 2_000
NARROWED: Final = (
    "/console/usage?span=7d&every=hour",
    "/console/usage?span=90d&by=key&metric=tokens",
    "/console/usage?span=1y&by=tag",
    "/console/usage?span=1h",
    "/console/usage?span=24h&by=client",
    "/console/usage.csv?span=7d&every=hour",
    "/console/requests?client=none",
    "/console/requests?status=failed",
    "/console/requests?order=dearest",
    "/console/platform/requests?status=failed",
)
"""Pages as their filters and choices change what they ask."""
_AT_ONCE = 2_000
_FEW = 3_000


class Reads:
    """Statements that readers executed, and rows they fetched."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.rows = 0

    @property
    def too_many(self) -> bool:
        return len(self.statements) > QUERIES_MAX or self.rows > ROWS_MAX

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


def pages(*, of_platform: bool, request_id: str) -> list[str]:
    """Where an owner, or an operator, can go: every page without an id, some of them narrowed, and a receipt."""

    def is_for_them(page: ConsolePage) -> bool:
        return page.method == "GET" and page.of_platform is of_platform and (page.of_account or of_platform)

    going = [page.path for page in discovered() if is_for_them(page) and "{id}" not in page.path]
    going = [path for path in going if path != "/console/events"]  # a stream
    begin = "/console/platform/" if of_platform else "/console/"
    narrowed = [path for path in NARROWED if path.startswith("/console/platform/") is of_platform]
    return [*going, *narrowed, f"{begin}requests/{request_id}", "/status"]


def fill(admin: AdminHarness, calls: int, summed: int = _FEW) -> str:
    """Calls of alpha in the last 80 days, the more the later; so many of them in the sums. The answer is the id of the
    first."""
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

    first = made(0)

    async def commit(batch: tuple[UsageRecord, ...]) -> None:
        await asyncio.gather(*(admin.store.writer.commit(call) for call in batch))

    admin.runner.run(commit((first,)))
    for start in range(1, summed, _AT_ONCE):
        admin.runner.run(commit(tuple(map(made, range(start, min(summed, start + _AT_ONCE))))))
    connection = sqlite3.connect(admin.folder / "tollhouse.db")
    for start in range(summed, calls, _AT_ONCE):
        numbers = range(start, min(calls, start + _AT_ONCE))
        rows = [(call.time_ms, call.id, call.account_id, json.encode(call).decode()) for call in map(made, numbers)]
        connection.executemany("INSERT INTO requests (time_ms, id, account_id, record) VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()
    return first.id


def fill_sums(admin: AdminHarness, accounts: Sequence[str], *, days: int, models: int) -> None:
    """What calls of these accounts would have left of themselves in the sums: a day each, so many days back, and each
    of so many models on each of the last 60 days; a nano-dollar a row."""
    today_ms = admin.clock.ms - admin.clock.ms % DAY_MS
    counters = ("calls", "failed", "charge", *BUCKETS)
    figures = tuple(int(name in ("calls", "charge", "input", "requests")) for name in counters)
    rows = [
        (account_id, today_ms - day * DAY_MS, f"model-{model:03}")
        for account_id in accounts
        for day in range(days)
        for model in range(models if day < 60 else 1)
    ]
    connection = sqlite3.connect(admin.folder / "tollhouse.db")
    columns = ", ".join(counters)
    places = ", ".join("?" * len(counters))
    connection.executemany(
        "INSERT INTO account_usage (account_id, span_ms, kind, start_ms, model, "
        f"{columns}) VALUES (?, ?, ?, ?, ?, {places})",
        [(account_id, DAY_MS, "text", start_ms, model, *figures) for account_id, start_ms, model in rows],
    )
    connection.executemany(
        "INSERT INTO usage (span_ms, account_id, start_ms, project_id, key_id, model, kind, mode, "
        f"{columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, {places})",
        [
            (DAY_MS, account_id, start_ms, "p", "k", model, "text", "live", *figures)
            for account_id, start_ms, model in rows
        ],
    )
    connection.executemany(
        "INSERT INTO spend_sums (object_id, span_ms, start_ms, model, charge) VALUES (?, ?, ?, ?, 1)",
        [(account_id, DAY_MS, start_ms, model) for account_id, start_ms, model in rows],
    )
    connection.commit()
    connection.close()

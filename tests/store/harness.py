"""A writer at work on a database, and what another connection sees of it."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from tests.store.samples import NOW_MS, FixedClock
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store import migration
from tollhouse.store.batch import STEPS, Batches, Step
from tollhouse.store.driver import Driver
from tollhouse.store.engines import Engines, connect
from tollhouse.store.tables import SqlRepositories
from tollhouse.store.writer import Writer

T = TypeVar("T")


class CommitGate:
    """A step that holds the writer inside its first transaction, and remembers how records were grouped."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.batches: list[list[str]] = []

    def __call__(self, driver: Driver, batch: Sequence[UsageRecord]) -> None:
        self.entered.set()
        assert self.open.wait(30)
        self.batches.append([record.id for record in batch])

    async def held(self) -> None:
        await asyncio.get_running_loop().run_in_executor(None, self.entered.wait)


@asynccontextmanager
async def writing(
    url: str, *, steps: Sequence[Step] = STEPS, clock: FixedClock | None = None
) -> AsyncIterator[tuple[Writer, Engines]]:
    engines = connect(url, Path())
    migration.check(engines.writing, create=True)
    writer = Writer(engines.writing, clock or FixedClock(), steps)
    try:
        yield writer, engines
    finally:
        await writer.close()
        engines.dispose()


def trouble(writer: Writer | Batches) -> str | None:
    return writer.trouble  # by a function: it changes behind the type checker's back


def on_disk(url: str, question: Callable[[SqlRepositories], T]) -> T:
    """What another connection sees."""
    engines = connect(url, Path())
    try:
        with engines.reading.begin() as connection:
            return question(SqlRepositories(connection))
    finally:
        engines.dispose()


def ids_on_disk(url: str) -> list[str]:
    return sorted(one.id for one in on_disk(url, lambda tables: tables.requests.page(before=None, limit=10_000)))


def calls_summed(url: str) -> int:
    return sum(
        one.calls for one in on_disk(url, lambda tables: tables.usage.sums("model", from_ms=0, to_ms=2 * NOW_MS))
    )


async def outcomes(*waits: Awaitable[Any]) -> list[type | None]:
    found = await asyncio.gather(*waits, return_exceptions=True)
    return [type(one) if isinstance(one, BaseException) else None for one in found]


async def begun(*waits: Awaitable[T]) -> "list[asyncio.Task[T]]":
    """Tasks that have run up to their first wait."""

    async def wait(one: Awaitable[T]) -> T:
        return await one

    tasks = [asyncio.ensure_future(wait(one)) for one in waits]
    await asyncio.sleep(0)
    return tasks

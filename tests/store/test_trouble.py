"""A database that cannot be written: everybody hears of it, nothing is half done, and it heals."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, Dialect, event, text

from tests.store.harness import calls_summed, ids_on_disk, outcomes, trouble, writing
from tests.store.samples import NOW_MS, account, request
from tollhouse.core.failure import Overloaded
from tollhouse.store.batch import STEPS, Batches, Job
from tollhouse.store.engines import Engines
from tollhouse.store.tables import SqlRepositories


class FailingDisk:
    """SQLite's own bounds, told to every connection that is made while they stand."""

    def __init__(self, engines: Engines, pragma: str) -> None:
        self.pragma = pragma
        event.listen(engines.writing, "connect", self._connected)
        engines.writing.dispose()  # whatever was connected before

    def mend(self) -> None:
        self.pragma = "PRAGMA max_page_count = 1000000"

    def _connected(self, driver: Any, _record: object) -> None:
        driver.execute(self.pragma)


@pytest.mark.parametrize(
    "pragma",
    ["PRAGMA max_page_count = 1", "PRAGMA query_only = ON"],  # no more pages than there are; no writing at all
)
def test_a_full_or_read_only_disk_refuses_everybody_and_heals(tmp_path: Path, pragma: str) -> None:
    url = f"sqlite:///{tmp_path}/tollhouse.db"
    large = b"x" * 9_000  # more than a page, and a record may hold it

    async def scenario() -> None:
        async with writing(url) as (writer, _):
            await writer.commit(request(1))
        async with writing(url) as (writer, engines):
            disk = FailingDisk(engines, pragma)
            failed = await outcomes(
                *(writer.commit(request(number, raw_usage=large)) for number in range(2, 5)),
                writer.change(
                    lambda connection: SqlRepositories(connection).accounts.add(account(email="x" * 100_000))
                ),
            )
            assert failed == [Overloaded] * 4
            assert trouble(writer) is not None
            assert await outcomes(writer.commit(request(5, raw_usage=large))) == [Overloaded]
            assert ids_on_disk(url) == ["req_1"]
            assert calls_summed(url) == 1
            disk.mend()
            await writer.commit(request(6, raw_usage=large))
            assert trouble(writer) is None

    asyncio.run(scenario())
    assert ids_on_disk(url) == ["req_1", "req_6"]


def test_trouble_ends_by_itself_without_a_call(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tollhouse.db"

    async def scenario() -> None:
        async with writing(url) as (writer, engines):
            await writer.change(lambda connection: None)
            batches = Batches(engines.reading, STEPS)  # an engine that is kept from writing
            waiter = asyncio.get_running_loop().create_future()
            job = Job(waiter, request(1), request(1).account_id)
            batches.settle([job])
            assert isinstance(job.error, Overloaded)
            batches.run_maintenance(NOW_MS)
            assert trouble(batches) is not None
            batches._engine = engines.writing
            await writer.close()
            batches.run_maintenance(NOW_MS)
            assert trouble(batches) is None
            batches.disconnect()

    asyncio.run(scenario())
    assert ids_on_disk(url) == []


def _lose_answers(engines: Engines) -> list[bool]:
    """Each entry put into the list has one COMMIT end without an answer: True if it was done all the same."""
    losses: list[bool] = []

    def commit(connection: sqlite3.Connection | psycopg.Connection[Any], finish: Callable[[], None]) -> None:
        if not losses:
            finish()
            return
        if losses.pop():
            finish()
        else:
            connection.rollback()
        raise (sqlite3 if engines.sqlite else psycopg).OperationalError("connection reset")

    class Sqlite(sqlite3.Connection):
        def commit(self) -> None:
            commit(self, super().commit)

    class Postgresql(psycopg.Connection[Any]):
        def commit(self) -> None:
            commit(self, super().commit)

    def connect(_dialect: Dialect, _record: object, args: list[Any], named: dict[str, Any]) -> object:
        return sqlite3.connect(*args, factory=Sqlite, **named) if engines.sqlite else Postgresql.connect(*args, **named)

    event.listen(engines.writing, "do_connect", connect)
    engines.writing.dispose()  # whatever was connected before
    return losses


def test_a_commit_whose_answer_was_lost_is_looked_up(database_url: str) -> None:
    async def scenario() -> None:
        async with writing(database_url) as (writer, engines):
            losses = _lose_answers(engines)
            losses.append(True)
            await writer.commit(request(1))
            assert trouble(writer) is None
            losses.append(False)
            assert await outcomes(writer.commit(request(2))) == [Overloaded]
            assert trouble(writer) is not None
            await writer.commit(request(3))
            assert losses == []

    asyncio.run(scenario())
    assert ids_on_disk(database_url) == ["req_1", "req_3"]
    assert calls_summed(database_url) == 2


def test_a_lost_connection_to_postgresql_is_made_anew_unnoticed(postgresql_database_url: str) -> None:
    url = postgresql_database_url

    def pid(connection: Connection) -> int:
        found: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        return found

    async def scenario() -> None:
        async with writing(url) as (writer, _):
            await writer.commit(request(1))
            lost = await writer.change(pid)
            with psycopg.connect(url) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", [lost])
            await writer.commit(request(2))
            assert await writer.change(pid) != lost

    asyncio.run(scenario())
    assert ids_on_disk(url) == ["req_1", "req_2"]

"""The writer: what it has answered is on the disk, and one that fails takes nobody along."""

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest
from sqlalchemy import Connection, exc, insert, text

from tests.store.harness import CommitGate, begun, calls_summed, ids_on_disk, on_disk, outcomes, trouble, writing
from tests.store.samples import NOW_MS, account, key, project, request
from tollhouse.core.failure import Conflict, Defect, Overloaded, PathNotFound
from tollhouse.store import schema
from tollhouse.store.batch import STEPS
from tollhouse.store.last_use import EVERY_MS
from tollhouse.store.tables import SqlRepositories


def test_a_record_is_seen_by_others_once_its_commit_returns(database_url: str) -> None:
    async def scenario() -> None:
        async with writing(database_url) as (writer, _):
            for number in range(1, 4):
                await writer.commit(request(number))
                assert ids_on_disk(database_url) == [f"req_{one}" for one in range(1, number + 1)]

    asyncio.run(scenario())
    assert calls_summed(database_url) == 3


def test_one_commit_takes_all_that_arrived_during_the_last_and_wakes_the_loop_once(database_url: str) -> None:
    class CountingLoop(asyncio.SelectorEventLoop):
        woken = 0

        def call_soon_threadsafe(  # type: ignore[override]
            self, callback: Any, *args: Any, context: Any = None
        ) -> asyncio.Handle:
            if threading.current_thread().name == "tollhouse-writer":
                self.woken += 1
            return super().call_soon_threadsafe(callback, *args, context=context)

    gate = CommitGate()

    async def scenario() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        async with writing(database_url, steps=(*STEPS, gate)) as (writer, _):
            first = await begun(writer.commit(request(1)))
            await gate.held()
            rest = await begun(*(writer.commit(request(number)) for number in range(2, 52)))
            gate.open.set()
            await asyncio.gather(*first, *rest)
            return loop.woken

    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        assert runner.run(scenario()) == 2
    assert gate.batches == [["req_1"], [f"req_{number}" for number in range(2, 52)]]
    assert len(ids_on_disk(database_url)) == 51


def test_what_arrives_in_one_turn_of_the_loop_is_one_commit(database_url: str) -> None:
    gate = CommitGate()
    gate.open.set()

    async def scenario() -> None:
        async with writing(database_url, steps=(*STEPS, gate)) as (writer, _):
            await asyncio.gather(*(writer.commit(request(number)) for number in range(1, 6)))

    asyncio.run(scenario())
    assert gate.batches == [[f"req_{number}" for number in range(1, 6)]]


def test_a_record_the_database_refuses_fails_alone(database_url: str) -> None:
    gate = CommitGate()

    async def scenario() -> None:
        async with writing(database_url, steps=(gate, *STEPS)) as (writer, _):
            first = await begun(writer.commit(request(1)))
            await gate.held()
            mates = await begun(
                writer.commit(request(2)),
                writer.commit(request(1, model="again")),  # the call stands already
                writer.commit(request(3, status=None)),  # no such call
                writer.commit(request(4)),
                writer.change(
                    lambda connection: connection.execute(insert(schema.changes).values(kind="x", object_id="y"))
                ),
            )
            gate.open.set()
            assert await outcomes(*first) == [None]
            assert await outcomes(*mates) == [None, Defect, Defect, None, None]
            assert trouble(writer) is None

    asyncio.run(scenario())
    assert ids_on_disk(database_url) == ["req_1", "req_2", "req_4"]
    assert calls_summed(database_url) == 3  # what failed left no trace in the sums either


def test_a_change_that_raises_fails_alone_and_leaves_nothing(database_url: str) -> None:
    gate = CommitGate()

    def fails(connection: Connection) -> None:
        SqlRepositories(connection).accounts.add(account(1))
        raise PathNotFound("no account acc_9")

    def makes_no_sense(connection: Connection) -> None:
        connection.execute(text("SELECT nothing FROM nowhere"))

    def works(connection: Connection) -> str:
        SqlRepositories(connection).accounts.add(account(2))
        return "done"

    async def scenario() -> None:
        async with writing(database_url, steps=(gate, *STEPS)) as (writer, _):
            first = await begun(writer.commit(request(1)))
            await gate.held()
            mates: list[asyncio.Task[Any]] = [
                *await begun(writer.change(fails), writer.change(makes_no_sense)),
                *await begun(writer.change(works)),
                *await begun(writer.commit(request(2))),
            ]
            gate.open.set()
            await asyncio.gather(*first)
            failed = await outcomes(*mates)
            assert failed[0] is PathNotFound
            assert failed[1] is not None
            assert issubclass(failed[1], exc.DBAPIError)
            assert failed[2:] == [None, None]
            assert mates[2].result() == "done"

    asyncio.run(scenario())
    assert ids_on_disk(database_url) == ["req_1", "req_2"]
    assert on_disk(database_url, lambda tables: tables.accounts.list_all()) == [account(2)]


def test_a_change_that_breaks_a_constraint_is_told_as_a_conflict(database_url: str) -> None:
    async def scenario() -> None:
        async with writing(database_url) as (writer, _):
            await writer.change(lambda connection: SqlRepositories(connection).accounts.add(account()))
            with pytest.raises(Conflict):
                await writer.change(lambda connection: SqlRepositories(connection).accounts.add(account()))

    asyncio.run(scenario())


def test_memory_follows_the_database_also_when_the_waiter_has_left(database_url: str) -> None:
    """A revocation whose caller hangs up right after it was committed must act all the same."""
    gate = CommitGate()
    followed: list[str] = []

    async def scenario() -> None:
        async with writing(database_url, steps=(gate, *STEPS)) as (writer, _):
            first = await begun(writer.commit(request(1)))
            await gate.held()
            left, stayed, failed = await begun(
                writer.change(lambda connection: "left", followed.append),
                writer.change(lambda connection: "stayed", followed.append),
                writer.change(lambda connection: str(1 // 0), followed.append),
            )
            left.cancel()
            gate.open.set()
            await asyncio.gather(*first)
            assert await outcomes(left, stayed, failed) == [asyncio.CancelledError, None, ZeroDivisionError]
            assert followed == ["left", "stayed"]

    asyncio.run(scenario())


def test_one_whose_memory_cannot_follow_does_not_keep_others_waiting(database_url: str) -> None:
    gate = CommitGate()

    async def scenario() -> None:
        async with writing(database_url, steps=(gate, *STEPS)) as (writer, _):
            first = await begun(writer.commit(request(1)))
            await gate.held()
            mates = await begun(
                writer.change(lambda connection: 0, lambda answer: print(1 // answer)),
                writer.change(lambda connection: 1),
            )
            gate.open.set()
            await asyncio.gather(*first)
            assert await outcomes(*mates) == [ZeroDivisionError, None]

    asyncio.run(scenario())


def test_closing_commits_what_has_arrived_and_refuses_what_comes_later(database_url: str) -> None:
    async def scenario() -> None:
        async with writing(database_url) as (writer, _):
            waiting = await begun(*(writer.commit(request(number)) for number in range(1, 101)))
            await writer.close()
            with pytest.raises(Overloaded):
                await writer.commit(request(999))
            assert await outcomes(*waiting) == [None] * 100

    asyncio.run(scenario())
    assert len(ids_on_disk(database_url)) == 100


_WRITES_UNTIL_KILLED = """
import asyncio, sys
from tests.store.samples import FixedClock, request
from tollhouse.store.database import open_store

async def client(store, number):
    while True:
        await store.writer.commit(request(number))
        sys.stdout.write(f"req_{number}\\n")
        sys.stdout.flush()
        number += 16

async def main():
    store = open_store(sys.argv[1], create=True, clock=FixedClock())
    await asyncio.gather(*(client(store, number) for number in range(16)))

asyncio.run(main())
"""


def test_what_was_answered_survives_kill_9(database_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITES_UNTIL_KILLED, database_url], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        answered = [process.stdout.readline().strip() for _ in range(500)]
        process.kill()
        # Lines may be cut by the kill; whole ones were answered.
        answered += [line.strip() for line in process.stdout if line.endswith("\n")]
    stored = ids_on_disk(database_url)
    assert set(answered) <= set(stored)
    assert calls_summed(database_url) == len(stored)  # sums and rows come together or not at all


def test_last_uses_are_written_with_the_first_use_then_once_a_minute_and_at_the_end(database_url: str) -> None:
    def put(connection: Connection) -> None:
        tables = SqlRepositories(connection)
        tables.accounts.add(account())
        tables.projects.add(project())
        tables.keys.add(key(last_used_at_ms=None, last_used_client=None))

    def last_use() -> tuple[int | None, str | None]:
        found = on_disk(database_url, lambda tables: tables.keys.get("key_1"))
        assert found is not None
        return found.last_used_at_ms, found.last_used_client

    async def scenario() -> None:
        async with writing(database_url) as (writer, _):
            await writer.change(put)
            await writer.commit(request(1, time_ms=NOW_MS, client="curl 8.5"))
            assert last_use() == (NOW_MS, "curl 8.5")
            await writer.commit(request(2, time_ms=NOW_MS + 1, client="curl 8.5"))
            assert last_use() == (NOW_MS, "curl 8.5")
            await writer.commit(request(3, time_ms=NOW_MS + 2, client="other"))
            assert last_use() == (NOW_MS + 2, "other")
            await writer.commit(request(4, time_ms=NOW_MS + 2 + EVERY_MS, client="other"))
            assert last_use() == (NOW_MS + 2 + EVERY_MS, "other")
            await writer.commit(request(5, time_ms=NOW_MS + 3 + EVERY_MS, client="other"))
            assert last_use() == (NOW_MS + 2 + EVERY_MS, "other")

    asyncio.run(scenario())
    assert last_use() == (NOW_MS + 3 + EVERY_MS, "other")

"""SQLite's WAL has room before the first commit; making it changes nothing that is kept, and what can go wrong with it
keeps nobody from writing."""

import asyncio
from pathlib import Path

from tests.store.harness import ids_on_disk
from tests.store.samples import FixedClock, request
from tollhouse.store import migration
from tollhouse.store.batch import STEPS, Batches
from tollhouse.store.engines import connect
from tollhouse.store.writer import Writer

ROOM = 1_000_000


def test_the_first_commits_find_room_in_the_wal(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engines = connect(url, Path())
    migration.check(engines.writing, create=True)
    before = (tmp_path / "a.db").stat().st_size

    async def scenario() -> list[int]:
        writer = Writer(engines.writing, FixedClock(), wal_bytes=ROOM)
        sizes = []
        for number in range(1, 4):
            await writer.commit(request(number))
            sizes.append((tmp_path / "a.db-wal").stat().st_size)
        await writer.close()
        return sizes

    first, *others = asyncio.run(scenario())
    assert ROOM <= first < 2 * ROOM
    assert others == [first, first]
    assert ids_on_disk(url) == ["req_1", "req_2", "req_3"]
    with engines.reading.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("SELECT count(*) FROM sqlite_master WHERE name = 'room'").scalar() == 0
    engines.dispose()
    assert (tmp_path / "a.db").stat().st_size < before + ROOM // 2


def test_a_database_that_cannot_be_written_gets_no_room_and_says_so_at_the_first_commit(tmp_path: Path) -> None:
    engines = connect(f"sqlite:///{tmp_path / 'a.db'}", Path())
    migration.check(engines.writing, create=True)
    engines.dispose()
    engines = connect(f"sqlite:///{tmp_path / 'a.db'}", Path())
    (tmp_path / "a.db").unlink()
    (tmp_path / "a.db").mkdir()
    batches = Batches(engines.writing, STEPS)
    batches.make_room(ROOM)
    assert batches.trouble is None
    engines.dispose()


def test_another_database_needs_no_room(postgresql_database_url: str) -> None:
    engines = connect(postgresql_database_url, Path())
    batches = Batches(engines.writing, STEPS)
    batches.make_room(ROOM)
    batches.disconnect()
    engines.dispose()

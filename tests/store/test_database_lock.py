"""One process at a time works on a database, and who comes second is told who came first."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec import structs
from sqlalchemy import text

from tests.store.samples import NOW_MS, FixedClock
from tollhouse.store.database import migrate, open_store
from tollhouse.store.database_lock import DatabaseInUse, DatabaseLock, LockKeeper, lock_of
from tollhouse.store.engines import CannotOpen, connect
from tollhouse.store.file_lock import FileLock
from tollhouse.store.holder import Holder, this_process

FIRST = Holder(command="serve", host="box", pid=4711, since_ms=NOW_MS, address="http://127.0.0.1:8080")
SECOND = structs.replace(FIRST, pid=4712)


def lock(url: str) -> DatabaseLock:
    return lock_of(connect(url, Path()))


def end_sessions(url: str) -> None:
    """Somebody ends the session that holds the lock; the server goes on."""
    engines = connect(url, Path())
    with engines.writing.begin() as connection:
        found = connection.execute(
            text(
                "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                " WHERE application_name = 'tollhouse lock' AND datname = current_database()"
            )
        )
        assert found.scalar() == 1
    engines.dispose()


def test_the_second_is_told_who_has_it_and_since_when(database_url: str) -> None:
    migrate(database_url)
    first, second = lock(database_url), lock(database_url)
    first.take(FIRST)
    said = r"serve \(process 4711 on box\) at http://127.0.0.1:8080, since 2026-09-21 14:13 UTC.*stop it first"
    with pytest.raises(DatabaseInUse, match=said):
        second.take(SECOND)
    first.release()
    second.take(SECOND)
    assert second.confirm(SECOND) == "held"
    second.release()
    second.release()


def test_an_address_that_is_known_later_is_said(database_url: str) -> None:
    migrate(database_url)
    first, second = lock(database_url), lock(database_url)
    first.take(structs.replace(FIRST, address=""))
    assert first.confirm(structs.replace(FIRST, address="http://[::1]:1")) == "held"
    with pytest.raises(DatabaseInUse, match=r"at http://\[::1\]:1, since"):
        second.take(SECOND)
    first.release()


def test_an_empty_database_is_locked_too(empty_database_url: str) -> None:
    first = lock(empty_database_url)
    first.take(FIRST)
    with pytest.raises(DatabaseInUse):
        migrate(empty_database_url, holder=SECOND)
    first.release()
    assert migrate(empty_database_url, holder=SECOND)


def test_two_folders_that_lead_to_one_file_meet(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link.db").symlink_to(tmp_path / "tollhouse.db")
    first = lock(f"sqlite:///{tmp_path}/tollhouse.db")
    first.take(FIRST)
    with pytest.raises(DatabaseInUse, match="process 4711"):
        lock(f"sqlite:///{tmp_path}/elsewhere/link.db").take(SECOND)
    first.release()


def test_a_store_that_only_looks_needs_no_lock(database_url: str) -> None:
    async def scenario() -> None:
        served = open_store(database_url, create=True, clock=FixedClock(), holder=FIRST)
        looking = open_store(database_url, create=False, clock=FixedClock())
        await looking.close()
        with pytest.raises(DatabaseInUse):
            open_store(database_url, create=False, clock=FixedClock(), holder=SECOND)
        await served.close()
        again = open_store(database_url, create=False, clock=FixedClock(), holder=SECOND)
        await again.close()

    asyncio.run(scenario())


def test_a_killed_process_leaves_no_lock(database_url: str) -> None:
    migrate(database_url)
    script = """
import sys
from tests.store.test_database_lock import FIRST, lock
held = lock(sys.argv[1])
held.take(FIRST)
print("held", flush=True)
sys.stdin.read()
"""
    holding = subprocess.Popen(
        [sys.executable, "-c", script, database_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holding.stdout is not None
    assert holding.stdout.readline() == b"held\n"
    second = lock(database_url)
    with pytest.raises(DatabaseInUse):
        second.take(SECOND)
    holding.kill()
    holding.communicate()
    second.take(SECOND)
    second.release()


def test_a_lost_session_is_made_anew(postgresql_database_url: str) -> None:
    held = lock(postgresql_database_url)
    held.take(FIRST)
    end_sessions(postgresql_database_url)
    assert held.confirm(FIRST) == "unsure"
    assert held.confirm(FIRST) == "held"
    with pytest.raises(DatabaseInUse):
        lock(postgresql_database_url).take(SECOND)
    held.release()


def test_whoever_lost_it_to_another_process_leaves(postgresql_database_url: str) -> None:
    async def scenario() -> None:
        held, other = lock(postgresql_database_url), lock(postgresql_database_url)
        held.take(FIRST)
        end_sessions(postgresql_database_url)
        other.take(SECOND)
        left = asyncio.Event()
        keeping = LockKeeper(held, FIRST)
        await keeping.keep(left.set)
        assert left.is_set()
        assert "process 4712" in str(keeping.lost_to)
        other.release()
        held.release()

    asyncio.run(scenario())


def test_a_database_that_is_away_is_no_database_in_use(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="cannot be reached") as raised:
        lock(f"postgresql://nobody@/none?host={tmp_path}").take(FIRST)
    assert not isinstance(raised.value, DatabaseInUse)
    (tmp_path / "tollhouse.db.lock").mkdir()
    with pytest.raises(CannotOpen, match="cannot be locked"):
        lock_of(connect("sqlite:///tollhouse.db", tmp_path)).take(FIRST)


def test_this_process_is_named() -> None:
    holder = this_process("serve", NOW_MS)
    assert (holder.pid, holder.host) == (os.getpid(), socket.gethostname())


def test_looking_at_a_lock_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(FileNotFoundError):
        FileLock(path).is_taken()
    assert not path.exists()

    held = FileLock(path)
    assert held.take(FIRST)
    assert FileLock(path).is_taken()
    assert FileLock(path).holder() == FIRST

    held.release()
    left = path.stat().st_mtime_ns
    assert not FileLock(path).is_taken()
    assert path.stat().st_mtime_ns == left

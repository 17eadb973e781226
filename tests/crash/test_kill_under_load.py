"""`kill -9` under load, over real HTTP: what a caller holds whole is in the ledger, once, at the price it was told."""

import os
import random
import signal
from pathlib import Path

import pytest

from tests.crash.callers import CrashCallers
from tests.crash.history import CONFIG, History
from tests.crash.recovered_state import look
from tests.end_to_end.platform_process import PlatformProcess
from tests.store.postgresql import PostgresqlServer

ANSWERS_MAX = 150  # before the end, in one round


def strike(platform: PlatformProcess, choice: random.Random, wal: Path | None) -> CrashCallers:
    """Load, then SIGKILL after a number of answers; with a WAL, in the moment in which a commit begins to write it."""
    answers = choice.randrange(1, ANSWERS_MAX)
    with CrashCallers(platform, f"{choice.getrandbits(32):08x}") as callers:
        callers.wait_for(lambda seen: len(seen.received) >= answers)
        if wal is not None:
            before = os.stat(wal).st_mtime_ns
            while os.stat(wal).st_mtime_ns == before:
                pass
        platform.signal(signal.SIGKILL)
        assert platform.wait() == -signal.SIGKILL
    assert callers.refused == []
    return callers


def rounds(folder: Path, count: int, database: str | None = None) -> None:
    """Begun, struck and begun again, on one database; the seed of each round is its number."""
    setting = "" if database is None else f'database = "{database}"'
    url = database or f"sqlite:///{folder}/tollhouse.db"
    platform = PlatformProcess(folder, CONFIG.replace("{database}", setting))
    try:
        for window in ("month", "day"):
            platform.manage("POST", "/budgets", {"account": "demo", "amount_usd": "1000", "window": window})
        history = History()
        for number in range(count):
            if number:
                platform.again()
            wal = None if database or number % 2 else folder / "tollhouse.db-wal"
            history.add(strike(platform, random.Random(number), wal))
            assert history.differences(look(url)) == [], f"after round {number}"
        platform.again()
        _agrees_in_memory(platform, history, url)
        assert [line for line in platform.defects() if "line" not in line] == []
    finally:
        platform.stop()


def _agrees_in_memory(platform: PlatformProcess, history: History, url: str) -> None:
    """What the restarted platform believes is what the ledger says: the next call goes on from there."""
    before = look(url).rows
    with CrashCallers(platform, "after all") as callers:
        callers.wait_for(lambda seen: len(seen.received) >= 20)
        platform.signal(signal.SIGKILL)
        platform.wait()
    history.add(callers)
    standing = look(url)
    assert history.differences(standing) == []
    assert standing.rows > before


def test_five_kills(tmp_path: Path) -> None:
    rounds(tmp_path / "house", 5)


@pytest.mark.long
def test_two_hundred_kills(tmp_path: Path) -> None:
    rounds(tmp_path / "house", 200)


@pytest.mark.long
def test_twenty_kills_on_postgresql(tmp_path: Path, postgresql_server: PostgresqlServer) -> None:
    rounds(tmp_path / "house", 20, postgresql_server.database())

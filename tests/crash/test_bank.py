"""The bank test, briefly: nobody interferes, on SQLite. `make bank` plays all of it, a minute each."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.crash.bank import Bank, play

ENOUGH = {"calls": 150, "rushes": 6, "audits": 6, "grants": 10, "refunds": 5}


def enough(bank: Bank) -> bool:
    return bool(bank.violations) or all(bank.done[what] >= count for what, count in ENOUGH.items())


def until(holds: Callable[[Bank], bool], bank: Bank) -> None:
    while not holds(bank):
        bank.news.wait(1)
        bank.news.clear()


def play_in(folder: Path, wait: Callable[[Bank], None]) -> Bank:
    return play(folder, f"sqlite:///{folder}/tollhouse.db", "none", 1, wait)


def test_every_look_adds_up_and_a_budget_pays_for_exactly_so_many(tmp_path: Path) -> None:
    bank = play_in(tmp_path / "house", lambda bank: until(enough, bank))
    assert bank.violations == []


def test_the_auditor_sees_one_nano_dollar_that_is_not_there(tmp_path: Path) -> None:
    """The control: somebody reaches into the database."""

    def reach_in(bank: Bank) -> None:
        until(lambda bank: bank.done["calls"] > 0, bank)
        with sqlite3.connect(bank.platform.folder / "tollhouse.db", timeout=10) as database:
            database.execute("UPDATE account_money SET spent = spent + 1")
        database.close()
        until(lambda bank: bool(bank.violations), bank)

    bank = play_in(tmp_path / "house", reach_in)
    assert any("spent is kept as" in violation for violation in bank.violations)

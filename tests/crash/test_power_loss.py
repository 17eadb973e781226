"""The power fails: every commit that was acknowledged is there, and of each commit all or nothing.

`synchronous = NORMAL` is the control: the same images lose what was acknowledged, so the harness sees losses.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crash.power_loss import Image, Log, Script, images, record, replay
from tests.crash.recovered_state import look
from tests.support.databases import put_database
from tollhouse.billing.ledger import FIRST

SEED = 3
LOOKED_AT_WHOLE = 20  # one in so many images is opened by the platform's own store, and verified


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Script:
    folder = tmp_path_factory.mktemp("recorded")
    put_database(folder)
    return record(folder / "tollhouse.db")


@dataclass(frozen=True)
class PowerLossVerdict:
    """lost: acknowledged commits that are gone. wrong: anything else that must not be, in words."""

    lost: int
    wrong: list[str]


def judged(log: Log, image: Image, folder: Path, *, whole: bool) -> PowerLossVerdict:
    image.write(folder)
    database = sqlite3.connect(folder / "tollhouse.db")
    try:
        database.execute("PRAGMA synchronous = OFF")  # the judge has no need to survive
        wrong = [str(row[0]) for row in database.execute("PRAGMA quick_check") if row[0] != "ok"]
        there = frozenset(row[0] for row in database.execute("SELECT id FROM requests"))
        wrong += _disagreeing(database)
    finally:
        database.close()
    if there not in log.holds:
        return PowerLossVerdict(0, [*wrong, "a commit is there in part"])
    # Commits without calls, of changes only, hold what the one before them holds: the last that fits counts.
    stands = len(log.holds) - 1 - log.holds[::-1].index(there)
    if log.holds.index(there) > image.acknowledged + 1:
        wrong.append("a commit is there that had not begun")
    if whole and not wrong:
        wrong += look(f"sqlite:///{folder}/tollhouse.db").flaws
    return PowerLossVerdict(max(0, image.acknowledged - stands), wrong)


def _disagreeing(database: sqlite3.Connection) -> list[str]:
    """Chains, money and counters, as SQL can tell without walking the chains."""
    wrong = []
    for account, sequence, balance, digest in database.execute(
        "SELECT account_id, sequence, balance, hash FROM account_money"
    ):
        entries = database.execute(
            "SELECT sequence, balance, previous, hash FROM ledger WHERE account_id = ? ORDER BY sequence", [account]
        ).fetchall()
        chained = [entry[2] for entry in entries] == [FIRST, *(entry[3] for entry in entries[:-1])]
        if not chained or entries[-1][:2] + entries[-1][3:] != (sequence, balance, digest):
            wrong.append(f"the chain of {account} ends otherwise than its money says")
    charged, spent, counted = (
        database.execute(question).fetchone()[0]
        for question in (
            "SELECT -coalesce(sum(amount), 0) FROM ledger WHERE kind IN ('charge', 'overrun')",
            "SELECT coalesce(sum(spent), 0) FROM account_money",
            "SELECT coalesce(sum(spent), 0) FROM budget_counters",
        )
    )
    if not charged == spent == counted:
        wrong.append(f"ledger {charged}, money {spent} and counters {counted} are not the same")
    return wrong


def verdicts(script: Script, folder: Path, count: int, synchronous: str | None) -> list[PowerLossVerdict]:
    log = replay(script, folder, synchronous)
    assert len(log.holds) > 20
    found = []
    for number, image in enumerate(images(log, SEED, count)):
        found.append(judged(log, image, folder, whole=number % LOOKED_AT_WHOLE == 0))
    return found


def lost(found: list[PowerLossVerdict]) -> int:
    return sum(verdict.lost > 0 for verdict in found)


def wrong(found: list[PowerLossVerdict]) -> list[str]:
    return [reason for verdict in found for reason in verdict.wrong]


def test_two_hundred_cuts_lose_nothing(script: Script, tmp_path: Path) -> None:
    found = verdicts(script, tmp_path, 200, None)
    assert (lost(found), wrong(found)) == (0, [])


def test_the_control_loses_what_was_acknowledged(script: Script, tmp_path: Path) -> None:
    found = verdicts(script, tmp_path, 60, "NORMAL")
    assert lost(found) > 20
    assert wrong(found) == [], "it forgets, but what it remembers is whole"


@pytest.mark.long
def test_ten_thousand_cuts_lose_nothing(script: Script, tmp_path: Path) -> None:
    found = verdicts(script, tmp_path, 10_000, None)
    assert (lost(found), wrong(found)) == (0, [])

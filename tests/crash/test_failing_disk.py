"""A disk that fails: no answer follows what it did not take, and what was refused never stands, also after a kill."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.fault_injection import SYNCS, Ended, Strikes, differences

SEED = 2
SAMPLE = 6
FAULTS = ("fdatasync:error=EIO", "pwrite64:error=EIO", "pwrite64:error=ENOSPC")


@pytest.fixture
def strikes(tmp_path: Path) -> Iterator[Strikes]:
    with Strikes(tmp_path) as ready:
        yield ready


def refusals(ended: Ended, *, lasting: bool) -> list[str]:
    """What went wrong when the disk failed once, or from some call on."""
    found = differences(ended)
    first = next((at for at, line in enumerate(ended.said) if line.startswith("refused ")), len(ended.said))
    durable_after = [line for line in ended.said[first:] if not line.startswith("refused ")]
    if lasting and durable_after:
        found.append(f"the disk took nothing any more, and yet {durable_after[0]} was said to be durable")
    if not lasting and not durable_after and ended.code == 0 and first < len(ended.said) - 20:
        found.append("it did not heal")
    return found


def failing_at(strikes: Strikes, points: list[tuple[str, int]]) -> dict[str, list[str]]:
    """What went wrong, by fault: each once and for ever, with a process that goes on and one that is killed."""
    wrong: dict[str, list[str]] = {}
    for fault, number in points:
        for lasting in (False, True):
            for dies in (False, True):
                expression = f"inject={fault}:when={number}{'+' * lasting}"
                ended = strikes.strike(expression, dies=dies)
                if found := refusals(ended, lasting=lasting):
                    wrong[f"{expression} dies={dies}"] = found
    return wrong


def test_a_sync_or_a_write_that_fails_now_and_then(strikes: Strikes) -> None:
    points = strikes.points()
    choice = random.Random(SEED)
    syncs = sum(name in SYNCS for name, _ in points)
    writes = sum(name == "pwrite64" for name, _ in points)
    sample = [("fdatasync:error=EIO", number) for number in choice.sample(range(1, syncs - 4), SAMPLE)]
    sample += [("pwrite64:error=ENOSPC", number) for number in choice.sample(range(1, writes - 100), 2)]
    assert failing_at(strikes, sample) == {}


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_each_sync_and_every_fifteenth_write_that_fails(strikes: Strikes, fault: str) -> None:
    calls = [number for name, number in strikes.points() if name == fault.partition(":")[0]]
    numbers = calls if fault.partition(":")[0] in SYNCS else calls[::15]
    assert failing_at(strikes, [(fault, number) for number in numbers]) == {}

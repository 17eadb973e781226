"""A kill before every write and sync of a run of 200 settlements: what was said to be durable is there, once.

How batches fall together differs from run to run by a few writes, so a point near the end may lie behind it: then the
run ends by itself, and is checked all the same.
"""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.fault_injection import SYNCS, Point, Strikes, differences

SEED = 1
SAMPLE = 20


@pytest.fixture
def strikes(tmp_path: Path) -> Iterator[Strikes]:
    with Strikes(tmp_path) as ready:
        yield ready


def killed_at(strikes: Strikes, points: list[Point]) -> dict[Point, list[str]]:
    """What went wrong, by the point at which the process was killed."""
    wrong: dict[Point, list[str]] = {}
    codes: Counter[int] = Counter()
    for name, number in points:
        ended = strikes.strike(f"inject={name}:signal=KILL:when={number}")
        codes[ended.code] += 1
        if found := differences(ended):
            wrong[name, number] = found
    assert set(codes) <= {0, -9}
    assert codes[-9] >= 0.9 * len(points), codes
    return wrong


def test_twenty_of_them(strikes: Strikes) -> None:
    points = strikes.points()
    assert len(points) > 1_000
    choice = random.Random(SEED)
    syncs = [point for point in points if point[0] in SYNCS]
    others = [point for point in points if point[0] not in SYNCS]
    assert killed_at(strikes, choice.sample(syncs, SAMPLE // 2) + choice.sample(others, SAMPLE // 2)) == {}


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_every_one_of_them(strikes: Strikes, part: int) -> None:
    assert killed_at(strikes, strikes.points()[part::4]) == {}

"""The checker as a command: `python -m tests.money.run --steps 50000 [--seed N]`; `make test-money` calls it.

A run is a row of worlds, each as long as `CHECKER_STEPS`. The seed settles everything that happens, so the line that is
printed plays it again.
"""

import argparse
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.money.checker import Checker
from tests.money.inspection import check
from tests.money.moves import MOVES, begin, come_to_rest

CHECKER_STEPS = 100
DISK_EVERY = 4  # memory is compared after each step, the disk after some, for it takes longer


class Stopped(AssertionError):
    """A step after which house and model differ; the message says which, and how to come there again."""

    def __init__(self, message: str, steps: int) -> None:
        super().__init__(message)
        self.steps = steps


def run(folder: Path, seed: int, steps: int, tell: Callable[[str], None] = lambda line: None) -> Counter[str]:
    """Play so many steps. Gives how often each thing was seen. Raises Stopped."""
    seen: Counter[str] = Counter()
    played = 0
    for number in range((steps + CHECKER_STEPS - 1) // CHECKER_STEPS):
        length = min(CHECKER_STEPS, steps - played)
        home = folder / f"world{number}"
        home.mkdir()
        try:
            seen += play(home, seed * 1_000_003 + number, length, tell)
        except Stopped as stopped:
            at = played + stopped.steps
            again = f"make test-money SEED={seed} STEPS={played + length}"
            raise Stopped(f"{stopped}\nafter {at} of {steps} steps; again: {again}", at) from None
        played += length
        for file in home.iterdir():
            file.unlink()
    return seen


def play(folder: Path, seed: int, steps: int, tell: Callable[[str], None] = lambda line: None) -> Counter[str]:
    """One world. Raises Stopped, also where the platform breaks of itself."""
    chance = random.Random(seed)
    checker = Checker(folder, seed)
    done: list[str] = []
    try:
        begin(checker)
        for step in range(steps):
            possible = [name for name, move in MOVES.items() if move.possible(checker)]
            name = chance.choices(possible, [MOVES[name].weight for name in possible])[0]
            done.append(name)
            tell(f"{step} {name}")
            MOVES[name].play(checker, chance.randrange)
            check(checker, disk=step % DISK_EVERY == 0)
        come_to_rest(checker)
        check(checker)
        checker.seen.update(done)
        return checker.seen
    except Exception as error:  # whatever it is, the way there is worth knowing
        raise Stopped(f"{_told(error)}\nlast in its world: {', '.join(done[-8:])}", len(done)) from error
    finally:
        checker.end()


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, AssertionError) else "".join(traceback.format_exception(error))


def main() -> int:
    words = argparse.ArgumentParser(prog="make test-money")
    words.add_argument("--steps", type=int, default=5_000)
    words.add_argument("--seed", type=int)
    words.add_argument("--tell", action="store_true", help="print each step")
    asked = words.parse_args()
    seed = random.SystemRandom().randrange(10**9) if asked.seed is None else asked.seed
    print(f"seed {seed}; again: make test-money SEED={seed} STEPS={asked.steps}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        try:
            seen = run(Path(folder), seed, asked.steps, print if asked.tell else lambda line: None)
        except Stopped as stopped:
            print(stopped)
            return 1
    print(f"{asked.steps} steps, no difference")
    print(", ".join(f"{name} {count}" for name, count in sorted(seen.items())))
    return 0


if __name__ == "__main__":
    sys.exit(main())

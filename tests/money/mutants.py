"""Defects on purpose, to see that the checker can fail: each is one small change to a copy of the platform.

`python -m tests.money.mutants [--steps 500] [--seeds 4]` makes a copy for each, plays the seeded loop on it and says
which seed found it, and after how many steps. docs/testing.md keeps the list.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Final, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
STEPS: Final = 500
SEEDS: Final = 4


class Mutant(NamedTuple):
    """In `file` under src/tollhouse, `old` becomes `new`; `old` stands there once."""

    file: str
    old: str
    new: str

    def made_of(self, text: str) -> str:
        assert text.count(self.old) == 1, f"{self.file} holds this {text.count(self.old)} times: {self.old}"
        return text.replace(self.old, self.new)


def mutants() -> dict[str, Mutant]:
    """By what each does."""
    written = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: Mutant(**one) for name, one in written.items()}


def platform_file(mutant: Mutant, root: Path = ROOT) -> Path:
    return root / "src/tollhouse" / mutant.file


def try_out(mutant: Mutant, steps: int = STEPS, seeds: int = SEEDS) -> str | None:
    """Play the loop on a copy of the platform with the defect in it. Gives how it was found; None: it was not."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in ("src", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        file = platform_file(mutant, copy)
        file.write_text(mutant.made_of(file.read_text(encoding="utf-8")), encoding="utf-8")
        environment = {**os.environ, "PYTHONPATH": f"{copy / 'src'}:{copy}", "PYTHONDONTWRITEBYTECODE": "1"}
        for seed in range(1, seeds + 1):
            command = [sys.executable, "-m", "tests.money.run", "--seed", str(seed), "--steps", str(steps)]
            done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=600)
            if done.returncode:
                played = re.search(r"after (\d+) of \d+ steps", done.stdout)
                assert played is not None, done.stdout + done.stderr
                return f"by seed {seed} after {played[1]} steps: {done.stdout.splitlines()[1]}"
    return None


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.money.mutants")
    words.add_argument("--steps", type=int, default=STEPS)
    words.add_argument("--seeds", type=int, default=SEEDS)
    words.add_argument("--only", default="", help="those whose name holds this")
    asked = words.parse_args()
    missed = 0
    for name, mutant in mutants().items():
        if asked.only in name:
            found = try_out(mutant, asked.steps, asked.seeds)
            print(f"{name}: {found or 'NOT FOUND'}", flush=True)
            missed += found is None
    print(f"{missed} not found" if missed else "all found")
    return missed


if __name__ == "__main__":
    sys.exit(main())

"""Defects on purpose, to see that the checker can fail: each is one small change to a copy of the house.

`python -m tests.money.mutants [--steps 500] [--seed 1]` makes a copy for each, plays the seeded loop on it and says
after how many steps it was found. docs/testing.md keeps the list.
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
SEED: Final = 1


class Mutant(NamedTuple):
    """In `file` under src/tollhouse, `old` becomes `new`; `old` stands there once."""

    file: str
    old: str
    new: str


def mutants() -> dict[str, Mutant]:
    """By what each does."""
    written = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {name: Mutant(**one) for name, one in written.items()}


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.money.mutants")
    words.add_argument("--steps", type=int, default=STEPS)
    words.add_argument("--seed", type=int, default=SEED)
    words.add_argument("--only", default="", help="those whose name holds this")
    asked = words.parse_args()
    missed = []
    for name, mutant in mutants().items():
        if asked.only in name:
            found = try_out(mutant, asked.seed, asked.steps)
            print(f"{name}: {'NOT FOUND' if found is None else found}", flush=True)
            missed += [name] if found is None else []
    print(f"{len(missed)} not found" if missed else "all found")
    return len(missed)


def try_out(mutant: Mutant, seed: int, steps: int) -> str | None:
    """Play the loop on a copy of the house with the defect in it. Gives how it was found; None: it was not."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        leave_out = shutil.ignore_patterns("__pycache__", ".venv", ".git")
        for part in ("src", "tests"):
            shutil.copytree(ROOT / part, copy / part, ignore=leave_out)
        file = copy / "src/tollhouse" / mutant.file
        text = file.read_text(encoding="utf-8")
        assert text.count(mutant.old) == 1, f"{mutant.file} holds {text.count(mutant.old)} times: {mutant.old}"
        file.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")
        command = [sys.executable, "-m", "tests.money.run", "--seed", str(seed), "--steps", str(steps)]
        environment = {**os.environ, "PYTHONPATH": f"{copy / 'src'}:{copy}", "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=600)
        if done.returncode == 0:
            return None
        played = re.search(r"after (\d+) of \d+ steps", done.stdout)
        what = done.stdout.splitlines()[1:2] or done.stderr.splitlines()[-1:]
        return f"{played[1] if played else '?'} steps: {''.join(what)[:100]}"


if __name__ == "__main__":
    sys.exit(main())

"""Do the tests of billing notice a changed rule? Changes the code in 2,500 places, one at a time, and says how many
changes no test has noticed. `make mutants`.

mutmut works in the folder it finds itself in, so it gets a copy: nothing is left behind here.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import deque
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "tests", "docs", "pyproject.toml", "README.md")
SCORE_MIN = 90  # percent

_COUNTS = re.compile(r"(\d+)/(\d+)\s+🎉 (\d+) 🫥 (\d+)\s+⏰ (\d+)\s+🤔 (\d+)\s+🙁 (\d+)")


def main() -> int:
    words = argparse.ArgumentParser(prog="make mutants")
    words.add_argument("--workers", type=int, default=1)
    words.add_argument("--show", action="store_true", help="print each change that no test noticed")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, copy / name)
        return _score(copy, asked.workers, asked.show)


def _score(copy: Path, workers: int, show: bool) -> int:
    """Exit code 0 where the score is high enough."""
    mutmut = Path(sys.executable).with_name("mutmut")
    command: list[str | Path] = ["nice", "-n", "10", mutmut, "run", "--max-children", str(workers)]
    said, counts = _run(command, copy)
    if not counts or counts[0] != counts[1]:
        print(said, "it did not come to its end", sep="\n")
        return 1
    _, changes, noticed, untested, too_slow, suspicious, survived = counts
    caught = noticed + too_slow  # a rule that never ends is noticed, too
    print(
        f"{changes} changes, {caught} noticed ({too_slow} of them because the tests never ended), {survived} not,"
        f" {untested} reached by no test, {suspicious} in doubt: {100 * caught / changes:.1f} %"
    )
    if show:
        _show(copy, mutmut)
    return int(100 * caught < SCORE_MIN * changes)


def _run(command: list[str | Path], copy: Path) -> tuple[str, list[int]]:
    """Gives the end of what mutmut said, and the last counts it printed. A hundred changes are a line of progress."""
    last: deque[str] = deque(maxlen=40)
    counts: list[int] = []
    shown = 0
    with subprocess.Popen(command, cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:  # each state of its own line of progress ends in a carriage return
            last.append(line)
            if found := _COUNTS.search(line):
                counts = [int(number) for number in found.groups()]
                if counts[0] >= shown + 100:
                    shown = counts[0]
                    print(f"{shown} of {counts[1]}", file=sys.stderr, flush=True)
    return "".join(last), counts


def _show(copy: Path, mutmut: Path) -> None:
    results = subprocess.run([mutmut, "results"], cwd=copy, capture_output=True, text=True, check=True).stdout
    for line in results.splitlines():
        name, _, state = line.strip().partition(": ")
        if state not in ("killed", "timeout", ""):
            shown = subprocess.run([mutmut, "show", name], cwd=copy, capture_output=True, text=True, check=True)
            changed = [one for one in shown.stdout.splitlines() if re.match(r"[-+](?![-+])", one)]
            print(name, *changed, sep="\n")


if __name__ == "__main__":
    sys.exit(main())

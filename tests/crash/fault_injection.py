"""Striking a process at its k-th system call of a kind, by strace: it is killed there, or the call fails.

A point is a system call and a number: the k-th such call of the writer's thread. Calls are counted per thread, and the
event loop's thread makes none of these after its first commit.
"""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO

from tests.crash.recovered_state import RecoveredState, look
from tests.crash.settlements import AT_ONCE, COUNT, settled
from tests.support.databases import todays_tables

CALLS = ("pwrite64", "fdatasync", "fsync", "ftruncate", "unlink")
SYNCS = ("fdatasync", "fsync")

Point = tuple[str, int]

NUMBERS = {settled(number).id: number for number in range(1, COUNT + 1)}


@dataclass(frozen=True)
class Ended:
    """How a struck process ended, and what it had said until then."""

    code: int
    said: list[str]
    url: str

    @property
    def durable(self) -> list[str]:
        """Ids of calls and actions."""
        return [line for line in self.said if not line.startswith("refused ")]

    @property
    def refused(self) -> list[str]:
        return [line.split()[1] for line in self.said if line.startswith("refused ")]


class Strikes:
    """`with Strikes(folder) as strikes`: each process works on a fresh database with today's tables."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> "Strikes":
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.settlements"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _pipe(self._nursery.stdin).close()
        self._nursery.wait()
        _pipe(self._nursery.stdout).close()

    def points(self) -> list[Point]:
        """Every call of a whole run, but for those that depend on how the calls of the batches fell together."""
        trace = self._folder / "trace"
        ended = self.strike(f"trace={','.join(CALLS)}", trace)
        assert (ended.code, ended.refused) == (0, [])
        counted = Counter(re.findall(r"^(\d+ +\w+)\(", trace.read_text(), re.MULTILINE))
        most: Counter[str] = Counter()
        for name, count in counted.items():
            most[name.split()[1]] = max(most[name.split()[1]], count)
        return [(name, number) for name in CALLS for number in range(1, most[name] + 1)]

    def strike(self, expression: str, trace: Path = Path(os.devnull), *, dies: bool = False) -> Ended:
        """One run; the expression is strace's, such as `inject=pwrite64:signal=KILL:when=7`. dies: of a refusal."""
        for old in self._folder.glob("struck.*"):
            old.unlink()
        database, output = self._folder / "struck.db", self._folder / "struck.out"
        database.write_bytes(todays_tables())
        url = f"sqlite:///{database}"
        _pipe(self._nursery.stdin).write(f"{url} {output}{' dies' * dies}\n")
        _pipe(self._nursery.stdin).flush()
        pid = int(_pipe(self._nursery.stdout).readline())
        with _attached(pid, expression, trace):
            os.kill(pid, signal.SIGCONT)
            code = int(_pipe(self._nursery.stdout).readline())
        return Ended(code, output.read_text().split("\n")[:-1], url)


class _attached:  # noqa: N801 - reads as a word: `with _attached(...)`
    def __init__(self, pid: int, expression: str, trace: Path) -> None:
        self._arguments = ["strace", "-f", "-p", str(pid), "-o", str(trace), "-e", expression]

    def __enter__(self) -> None:
        self._strace = subprocess.Popen(self._arguments, stderr=subprocess.PIPE, text=True)
        line = _pipe(self._strace.stderr).readline()
        assert "attached" in line, line

    def __exit__(self, *_: object) -> None:
        self._strace.communicate()


def differences(ended: Ended) -> list[str]:
    """Everything in which the database, opened again, differs from what the struck process had said."""
    standing = look(ended.url)
    found = list(standing.flaws)
    durable = [one for one in ended.durable if one.startswith("req_")]
    found += [f"{one} was said to be durable twice" for one, count in Counter(durable).items() if count > 1]
    found += [wrong for one in durable for wrong in _wrong(standing, one)]
    found += [f"{one} was never asked" for one in standing.calls if one not in NUMBERS]
    found += [
        f"{one} was refused, and stands"
        for one in ended.refused
        if one in standing.calls or one in standing.non_charges
    ]
    silent = set(standing.calls) - set(durable)
    if len(silent) > AT_ONCE:
        found.append(f"{len(silent)} calls stand of which nobody heard, {AT_ONCE} were under way")
    if standing.rows != len(standing.calls):
        found.append(f"{standing.rows} rows for {len(standing.calls)} calls")
    found += [f"{one} is lost" for one in ended.durable if one.startswith("txn_") and one not in standing.non_charges]
    return found


def _wrong(standing: RecoveredState, request_id: str) -> list[str]:
    number = NUMBERS[request_id]
    kept = standing.calls.get(request_id), standing.entries[request_id], standing.charged[request_id]
    return [] if kept == (settled(number), 1, number) else [f"{request_id} stands as {kept}, it cost {number}"]


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream

"""What the watchdog wrote down: callbacks of the loop that took more of its thread's CPU than they may."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stall:
    at: float  # seconds of the machine's monotonic clock
    cpu_ms: float
    what: str

    def __str__(self) -> str:
        return f"{self.cpu_ms:.0f} ms in {self.what}"


def worst_since(watch_file: Path, since: float) -> Stall | None:
    """The slowest callback of a watched platform since then. None: none passed the bound, or nobody watched."""
    rows = _rows(watch_file) if watch_file.exists() else []
    return max((row for row in rows if row.at >= since), key=lambda stall: stall.cpu_ms, default=None)


def _rows(file: Path) -> list[Stall]:
    return [Stall(**json.loads(line)) for line in file.read_text().splitlines() if line.endswith("}")]


def stalls(folder: Path) -> list[Stall]:
    """Of all platforms below a folder, the slowest first. What came before a platform was `attacked` is left out."""
    found: list[Stall] = []
    for file in folder.rglob("watch.jsonl"):
        since = float(file.with_name("attacked").read_text())
        found += [row for row in _rows(file) if row.at >= since]
    return sorted(found, key=lambda stall: -stall.cpu_ms)

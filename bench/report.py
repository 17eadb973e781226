"""What a run found, as a table for people and as JSON for the next run to be compared with."""

import json
import platform
import statistics
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.load import Load


@dataclass(frozen=True)
class Round:
    """One contender under one kind of load, once. cpu_us: CPU time of its process tree per request, in microseconds."""

    case: str
    contender: str
    load: Load
    cpu_us: float
    rss: int


_HEAD = (
    f"{'case':9} {'server':8} {'CPU us':>9} {'x nginx':>8} {'done/s':>9} {'p50 ms':>8} {'p99 ms':>8} {'RSS MB':>7} bad"
)


def table(rounds: Sequence[Round]) -> str:
    """Medians over the rounds; the ratio is the median of the ratios within each round."""
    lines = [_HEAD]
    for case in dict.fromkeys(row.case for row in rounds):
        reference = [row.cpu_us for row in rounds if (row.case, row.contender) == (case, "nginx")]
        for name in dict.fromkeys(row.contender for row in rounds if row.case == case):
            rows = [row for row in rounds if (row.case, row.contender) == (case, name)]
            ratio = ratio_of([row.cpu_us for row in rows], reference)
            lines.append(
                f"{case:9} {name:8} {statistics.median(row.cpu_us for row in rows):9.1f} {ratio:8.2f} "
                f"{statistics.median(row.load.per_s for row in rows):9.0f} "
                f"{statistics.median(row.load.p50_ms for row in rows):8.2f} "
                f"{statistics.median(row.load.p99_ms for row in rows):8.2f} "
                f"{max(row.rss for row in rows) / 2**20:7.1f} {sum(row.load.bad for row in rows)}"
            )
    return "\n".join(lines)


def interpreter() -> str:
    """Which Python serves, and how it was built: one that was not optimised takes a quarter more time."""
    built = sysconfig.get_config_var("CONFIG_ARGS") or "options that nobody knows"
    return f"Python {platform.python_version()} of {sys.base_prefix}, configured with {built}"


def compared(rounds: Sequence[Round], one: str, other: str) -> list[str]:
    """How much dearer one contender is than another that took turns with it, a line each kind of load: the median of
    the rounds, and the least and the most of them. No line for what was not measured."""
    lines = []
    for case in dict.fromkeys(row.case for row in rounds if row.contender == other):
        ours, theirs = (
            [row.cpu_us for row in rounds if (row.case, row.contender) == (case, name)] for name in (one, other)
        )
        ratios = sorted(a / b for a, b in zip(ours, theirs, strict=True) if b)
        middle, least, most = ((ratio - 1) * 100 for ratio in (statistics.median(ratios), ratios[0], ratios[-1]))
        lines.append(f"{case}: {one} costs {middle:+.1f} % of CPU beside {other} ({least:+.1f} to {most:+.1f} %)")
    return lines


def ratio_of(costs: Sequence[float], reference: Sequence[float]) -> float:
    return statistics.median(cost / base for cost, base in zip(costs, reference, strict=True) if base)


def write_json(rounds: Sequence[Round], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.release()}
    rows = [asdict(row) for row in rounds]
    path.write_text(json.dumps({"machine": machine, "rounds": rows}, indent=1) + "\n", encoding="utf-8")

"""How long a commit takes while the event loop is busy: `make bench-commit`, or `python -m bench.commit --help`.

Calls are settled at a steady rate, a few at once, by the store's writer; between them the loop computes, in pieces of a
tenth of a millisecond, for the share of its time that is asked for. A latency is that of `commit`: from the call until
the waiter runs again, durable. CPU is the writer's own, by the kernel's count.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import uvloop

from bench.writer_process import process
from bench.writers import Committing, Opening, patient_thread, thread
from tollhouse.core.charge import Charge
from tollhouse.core.ids import make_id
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Attempt, UsageRecord

LOADS = (0, 50, 90)
PERIOD_S = 0.004
PIECE_NS = 100_000
WARM_UP_S = 1.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Measured:
    load_percent: int
    records: int
    p50_ms: float
    p99_ms: float
    cpu_us: float  # of the writer, per record


async def measure(opening: Opening, folder: Path, load_percent: int, per_s: int, seconds: float) -> Measured:
    async with opening(folder) as contender:
        busy = _Busy(load_percent)
        waits: list[int] = []
        await _settle(contender.writer, per_s, WARM_UP_S, 0, [])
        before_s = _cpu_s(contender.stat)
        busy.begin()
        await _settle(contender.writer, per_s, seconds, 1, waits)
        busy.over = True
        spent_s = _cpu_s(contender.stat) - before_s
    cuts = statistics.quantiles(waits, n=100)
    return Measured(load_percent, len(waits), cuts[49] / 1e6, cuts[98] / 1e6, spent_s * 1e6 / len(waits))


class _Busy:
    """What the loop computes besides."""

    def __init__(self, percent: int) -> None:
        self._pieces = round(PERIOD_S * 1e9 * percent / 100 / PIECE_NS)
        self.over = False

    def begin(self) -> None:
        if not self._pieces or self.over:
            return
        loop = asyncio.get_running_loop()
        loop.call_later(PERIOD_S, self.begin)
        loop.call_soon(self._compute, self._pieces)

    def _compute(self, pieces: int) -> None:
        end_ns = time.perf_counter_ns() + PIECE_NS
        while time.perf_counter_ns() < end_ns:
            pass
        if pieces > 1:
            asyncio.get_running_loop().call_soon(self._compute, pieces - 1)


async def _settle(writer: Committing, per_s: int, seconds: float, run: int, waits: list[int]) -> None:
    at_once = max(1, round(per_s * PERIOD_S))
    pause_s = at_once / per_s
    under_way: set[asyncio.Task[None]] = set()
    loop = asyncio.get_running_loop()
    begun_s = next_s = loop.time()
    number = 0
    while next_s - begun_s < seconds:
        for _ in range(at_once):
            number += 1
            task = loop.create_task(_timed(writer, record(run * 10_000_000 + number), waits))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        next_s += pause_s
        await asyncio.sleep(max(0, next_s - loop.time()))
    await asyncio.gather(*under_way)


async def _timed(writer: Committing, call: UsageRecord, waits: list[int]) -> None:
    begun_ns = time.perf_counter_ns()
    await writer.commit(call)
    waits.append(time.perf_counter_ns() - begun_ns)


def record(number: int) -> UsageRecord:
    """A call as most are: streamed, charged, counted by one budget; of one account in twenty."""
    now_ms = 1_790_000_000_000 + number
    whose = number % 20
    return UsageRecord(
        id=make_id("req", now_ms, number.to_bytes(10, "big")),
        time_ms=now_ms,
        account_id=f"acc_{whose:026}",
        project_id=f"proj_{whose:026}",
        key_id=f"key_{whose:026}",
        mode="live",
        model="gpt-4o",
        dialect="openai",
        operation="chat",
        stream=True,
        status=200,
        ending="finished",
        client="openai-python 1.60",
        provider="main",
        attempts=(Attempt(provider="main", model="gpt-4o", status=200, start_ms=1, first_byte_ms=300, end_ms=900),),
        usage=Usage(input=120, output=45, requests=1),
        usage_source="upstream",
        raw_usage=b'{"prompt_tokens":120,"completion_tokens":45,"total_tokens":165}',
        output_cap=200,
        admitted_ms=0,
        first_byte_ms=300,
        last_byte_ms=900,
        charge=Charge(
            amount=750_000,
            price_id=f"price_{1:026}",
            held=2_300_000,
            budgets=((f"bud_{whose:026}", 1_788_000_000_000),),
        ),
    )


def _cpu_s(stat: Path) -> float:
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def table(rows: list[tuple[str, Measured]]) -> str:
    lines = [f"{'writer':14} {'loop busy':>9} {'records':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>7}"]
    for name, row in rows:
        lines.append(
            f"{name:14} {row.load_percent:7} % {row.records:8} {row.p50_ms:8.2f} {row.p99_ms:8.2f} {row.cpu_us:7.1f}"
        )
    return "\n".join(lines)


def compare(openings: dict[str, Opening]) -> None:
    """The command: every contender under every load."""
    parser = argparse.ArgumentParser(prog="bench.commit", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--per-second", type=int, default=1_000, help="calls settled a second")
    parser.add_argument("--one-core", action="store_true", help="loop and writer share a core")
    options = parser.parse_args()
    if options.one_core:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rows = []
    for load in LOADS:
        for name, opening in openings.items():
            with (
                tempfile.TemporaryDirectory(prefix="tollhouse-bench-") as folder,
                asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
            ):
                work = measure(opening, Path(folder), load, options.per_second, options.seconds)
                rows.append((name, runner.run(work)))
            print(table(rows[-1:]).splitlines()[1], flush=True)
    print("\n" + table(rows))


if __name__ == "__main__":
    compare({"thread": thread, "patient thread": patient_thread, "process": process})

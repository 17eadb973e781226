"""What callers notice while old records are deleted: `python -m bench.retention --help`.

A platform in a process of its own, with so many records that are older than they are kept. The same calls, by clients
that wait for each answer, once while nothing is to be deleted and once while all of it is; then as many old records
again, to see whether the file grows.
"""

import argparse
import asyncio
import http.client
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from bench.load import request_body
from tests.end_to_end.platform_process import PlatformProcess
from tests.store.samples import request
from tests.support.server_process import free_port
from tollhouse.clock import SystemClock, SystemRandom
from tollhouse.core.ids import RANDOM_BYTES, make_id
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.database import open_store

AT_ONCE: Final = 256
CONFIG: Final = """
[server]
lame_duck_seconds = 0
metrics_address = ""
request_retention_days = {days}
log = "calls.log"

[plans.default]
credit_limit_usd = "unlimited"
requests_per_minute = 1000000
tokens_per_minute = 1000000000

[providers.up]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"

[models."house-1"]
offers = [{{ provider = "up", model = "canned" }}]
context_tokens = 128000
price = {{ input = "2.50", output = "10.00" }}
"""


def fill(folder: Path, records: int, age_days: int) -> None:
    """Records as calls leave them, a second apart, the newest of them so old."""

    async def write() -> None:
        clock, random = SystemClock(), SystemRandom()
        store = open_store("sqlite:///tollhouse.db", create=True, clock=clock, folder=folder)
        end_ms = clock.now_ms() - age_days * DAY_MS
        for begin in range(0, records, AT_ONCE):
            times = [end_ms - 1000 * number for number in range(begin, min(begin + AT_ONCE, records))]
            await asyncio.gather(*(store.writer.commit(_old(ms, random.bytes(RANDOM_BYTES))) for ms in times))
        await store.close()

    asyncio.run(write())


def _old(time_ms: int, random: bytes) -> UsageRecord:
    whose = random[0] % 20
    return request(
        id=make_id("req", time_ms, random), time_ms=time_ms, account_id=f"acc_{whose}", key_id=f"key_{whose}", tags={}
    )


class CallLoad:
    """So many clients, each with one call at a time and a pause between two, until the end."""

    def __init__(self, platform: PlatformProcess, count: int, pause_s: float) -> None:
        self.waits: list[float] = []
        self._pause_s = pause_s
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(platform,)) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def end(self) -> list[float]:
        self._over.set()
        for thread in self._threads:
            thread.join()
        return self.waits

    def _call(self, platform: PlatformProcess) -> None:
        with closing(platform.connect()) as connection:
            while not self._over.wait(self._pause_s):
                began = time.perf_counter()
                connection.request(
                    "POST", "/v1/chat/completions", *platform.written(request_body("house-1", False), None, None)
                )
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    raise http.client.HTTPException(f"HTTP {answer.status}")
                self.waits.append(time.perf_counter() - began)


@contextmanager
def upstream() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.upstream", str(port)])
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def oldest_days(platform: PlatformProcess) -> float:
    """Of the records on the disk."""
    found = platform.read(lambda tables: tables.requests.oldest_ms())
    return 0 if found is None else (SystemClock().now_ms() - found) / DAY_MS


def run(
    folder: Path, port: int, options: argparse.Namespace, days: int, over: Callable[[float, PlatformProcess], bool]
) -> tuple[list[float], float]:
    """The waits of the calls and for how many seconds there were calls, until it is over."""
    with closing(sqlite3.connect(folder / "tollhouse.db")) as database:
        database.execute("DELETE FROM retention")  # the next look is due at once
        database.commit()
    platform = PlatformProcess(folder, CONFIG.format(days=days, port=port))
    began = time.perf_counter()
    callers = CallLoad(platform, options.clients, options.pause_ms / 1000)
    while not over(time.perf_counter() - began, platform):
        time.sleep(0.5)
    took = time.perf_counter() - began
    waits = callers.end()
    platform.stop()
    return waits, took


def shown(name: str, waits: list[float], took: float) -> str:
    cuts = statistics.quantiles(waits, n=1000)
    p50, p99, p999 = (cuts[at] * 1000 for at in (499, 989, 998))
    calls = f"{took:5.0f} s {len(waits) / took:5.0f} calls/s"
    return f"{name:24} {calls}  p50 {p50:6.2f} ms  p99 {p99:6.2f} ms  p99.9 {p999:6.2f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--seconds", type=float, default=30, help="of a run without deleting")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--pause-ms", type=float, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as top, upstream() as port:
        folder = Path(top) / "house"
        folder.mkdir()
        for number in (1, 2):
            fill(folder, options.records, 100)
            megabytes = (folder / "tollhouse.db").stat().st_size / 2**20
            print(f"filled with {options.records} old records: the file has {megabytes:.0f} MiB", flush=True)
            for name, days, over in (
                ("nothing to delete", 3_650, lambda seconds, platform: seconds > options.seconds),
                ("while they are deleted", 90, lambda seconds, platform: oldest_days(platform) < 90),
                ("after it", 90, lambda seconds, platform: seconds > options.seconds),
            ):
                print(f"{number} {shown(name, *run(folder, port, options, days, over))}", flush=True)
            megabytes = (folder / "tollhouse.db").stat().st_size / 2**20
            print(f"deleted: the file has {megabytes:.0f} MiB", flush=True)


if __name__ == "__main__":
    main()

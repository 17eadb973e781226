"""What a page of the console costs the server: `make bench-console`, or `python -m bench.console --help`.

A database with so many calls of one account, and every page that its owner or an operator can go to: milliseconds from
the request to the last byte of the answer, what it asks the database, and how large it is. A page is asked for in
turns, the first time apart.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.admin.harness import AdminHarness, at_work
from tests.console import platform
from tests.console.harness import Browser, member
from tests.console.reads import QUERIES_MAX, ROWS_MAX, Reads, counted, fill, pages

_HEAD: Final = f"{'page':56} {'first ms':>8} {'p50 ms':>8} {'p95 ms':>8} {'queries':>7} {'rows':>6} {'kB':>6}"


class PageCost(Struct, frozen=True):
    path: str
    first_ms: float
    times_ms: tuple[float, ...]
    reads: Reads
    content_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.console", description=__doc__)
    parser.add_argument("--calls", type=int, default=200_000, help="in the database")
    parser.add_argument("--summed", type=int, default=50_000, help="of them also in the sums, by the platform's writer")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tollhouse-bench-") as name, at_work(Path(name)) as admin:
        owner = Browser(admin)
        owner.sign_in(member(admin, "alpha"))
        operator = platform.signed_in(admin, platform.furnished(admin))
        began = time.perf_counter()
        request_id = fill(admin, options.calls, min(options.summed, options.calls))
        size = sum(one.stat().st_size for one in Path(name).iterdir()) / 1e9
        print(f"{options.calls:,} calls, {size:.1f} GB, written in {time.perf_counter() - began:.0f} s", flush=True)
        print(_HEAD, flush=True)
        costs = []
        for browser, of_platform in ((owner, False), (operator, True)):
            for path in pages(of_platform=of_platform, request_id=request_id):
                costs.append(cost(admin, browser, path, options.rounds))
                print(line(costs[-1]), flush=True)
    high = [one.path for one in costs if one.reads.too_many]
    print(f"more than {QUERIES_MAX} queries or {ROWS_MAX:,} rows: {', '.join(high) or 'no page'}")


def cost(admin: AdminHarness, browser: Browser, path: str, rounds: int) -> PageCost:
    times = []
    for _ in range(1 + rounds):
        began = time.perf_counter()
        reply = browser.get(path)
        times.append((time.perf_counter() - began) * 1_000)
        assert reply.status == 200, f"{path}: {reply.status}"
    with counted(admin) as reads:
        browser.get(path)
    return PageCost(path, times[0], tuple(times[1:]), reads, len(reply.content))


def line(one: PageCost) -> str:
    p95 = statistics.quantiles(one.times_ms, n=20)[-1]
    return (
        f"{one.path:56} {one.first_ms:8.1f} {statistics.median(one.times_ms):8.1f} {p95:8.1f} "
        f"{len(one.reads.statements):7} {one.reads.rows:6} {one.content_bytes / 1000:6.1f}"
    )


if __name__ == "__main__":
    main()

"""Many streams at once on one process: are all of them whole, and what does one cost in memory?

`python -m bench.streams [COUNT]`; exits with 1 when a stream was not whole.
"""

import asyncio
import sys

from bench import contenders, load
from bench.contenders import Contender
from bench.processes import cost


async def measure(server: Contender, streams: int) -> bool:
    await load.paced(server, 4)  # what is loaded once is not counted
    before = cost(server.pid)
    opened = asyncio.Event()
    running = asyncio.create_task(load.paced(server, streams, opened))
    all_open = asyncio.create_task(opened.wait())
    await asyncio.wait({running, all_open}, return_when=asyncio.FIRST_COMPLETED)
    all_open.cancel()
    during = cost(server.pid)
    seen = await running
    after = cost(server.pid)
    per_stream = (during.rss - before.rss) / streams / 1024
    cpu_us = (after.cpu_s - before.cpu_s) * 1e6 / streams
    print(
        f"{server.name}: {seen.done} of {streams} streams whole; first event p50 {seen.p50_ms:.0f} ms, "
        f"p99 {seen.p99_ms:.0f} ms; {per_stream:.1f} KiB a stream, {cpu_us:.0f} us CPU a stream; "
        f"RSS {before.rss / 2**20:.1f} -> {during.rss / 2**20:.1f} -> {after.rss / 2**20:.1f} MiB"
    )
    return seen.bad == 0


def main() -> None:
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with contenders.gateway_alone() as server:
        whole = asyncio.run(measure(server, streams))
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()

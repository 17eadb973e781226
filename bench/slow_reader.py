"""A client that reads 200 MB slowly: does the gateway hold back the provider, or does its memory grow?

`python -m bench.slow_reader [MB_PER_S]`; exits with 1 when memory grew by 2 MB or more.
"""

import asyncio
import sys

from bench import contenders, load
from bench.contenders import Contender
from bench.processes import cost

GROWTH_MAX = 2 * 1000 * 1000
_PIECE = 65_536


async def measure(server: Contender, bytes_per_s: float) -> int:
    """The growth of the gateway's memory in bytes, at its highest, while a slow client reads the whole stream."""
    await load.paced(server, 4)
    reader, writer = await load.open_flood(server)  # so that what is made once is there: a large read starts threads
    await reader.readexactly(8 * 1000 * 1000)
    writer.close()
    before = cost(server.pid).rss
    reader, writer = await load.open_flood(server)
    taken, highest, tail = 0, before, b""
    while not tail.endswith(b"0\r\n\r\n"):
        data = await reader.read(_PIECE)
        if not data:
            raise SystemExit(f"the stream ended after {taken} bytes: {tail.decode(errors='replace')}")
        taken += len(data)
        tail = (tail + data)[-300:]
        highest = max(highest, cost(server.pid).rss)
        await asyncio.sleep(len(data) / bytes_per_s)
    writer.close()
    print(
        f"{server.name}: {taken / 1e6:.0f} MB read, RSS {before / 1e6:.1f} MB, "
        f"highest {highest / 1e6:.1f} MB: grew by {(highest - before) / 1e6:.2f} MB"
    )
    return highest - before


def main() -> None:
    mb_per_s = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    with contenders.gateway_alone() as server:
        growth = asyncio.run(measure(server, mb_per_s * 1e6))
    sys.exit(0 if growth < GROWTH_MAX else 1)


if __name__ == "__main__":
    main()

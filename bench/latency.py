"""What the gateway adds to a call when little is going on: `make bench`, or `python -m bench.latency --help`.

Some calls a second, one at a time and by turns: to the provider itself, and through the gateway. Beside them a page is
written and synced to the gateway's disk: a call waits for that at the least, since its record is durable before the
last byte of its answer.
"""

import argparse
import http.client
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from bench import contenders, load
from bench.contenders import Contender
from bench.processes import cores

PAGE = bytes(4096)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.latency", description=__doc__)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--per-second", type=int, default=50, help="rounds of one call of each kind")
    options = parser.parse_args()
    measured, other = cores()
    os.sched_setaffinity(0, {other})
    with tempfile.TemporaryDirectory(prefix="tollhouse-bench-") as name, ExitStack() as ends:
        folder = Path(name)
        port = ends.enter_context(contenders.upstream(other))
        gateway = ends.enter_context(contenders.gateway(measured, port, folder))
        page = ends.enter_context(open(folder / "page", "wb", buffering=0))
        seen = timed(
            {
                "direct": _caller(Contender("direct", 0, port, ""), ends),
                "gateway": _caller(gateway, ends),
                "fsync": lambda: _sync(page.fileno()),
            },
            options.seconds * options.per_second,
            1 / options.per_second,
        )
    print(table(seen))


def timed(kinds: Mapping[str, Callable[[], None]], rounds: int, seconds: float) -> dict[str, list[float]]:
    """Milliseconds that each kind took in each round; a round begins every so many seconds."""
    seen: dict[str, list[float]] = {name: [] for name in kinds}
    begin = time.perf_counter()
    for number in range(rounds):
        time.sleep(max(0.0, begin + number * seconds - time.perf_counter()))
        for name, ask in kinds.items():
            asked = time.perf_counter()
            ask()
            seen[name].append((time.perf_counter() - asked) * 1_000)
    return seen


def table(seen: Mapping[str, Sequence[float]]) -> str:
    """The figures of each kind, and of what the gateway adds beyond a direct call and one sync of the disk."""
    lines = [f"{'':24} {'p50 ms':>8} {'p99 ms':>8}"]
    lines += [f"{name:24} {_at(times, 50):8.2f} {_at(times, 99):8.2f}" for name, times in seen.items()]
    own = [through - there - sync for there, through, sync in zip(*seen.values(), strict=True)]
    added = [through - there for there, through, _ in zip(*seen.values(), strict=True)]
    lines.append(f"{'added by the gateway':24} {_at(added, 50):8.2f} {_at(added, 99):8.2f}")
    lines.append(f"{'... beyond the fsync':24} {_at(own, 50):8.2f} {_at(own, 99):8.2f}")
    return "\n".join(lines)


def _at(times: Sequence[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def _caller(contender: Contender, ends: ExitStack) -> Callable[[], None]:
    """One call on a connection that is kept."""
    connection = ends.enter_context(closing(http.client.HTTPConnection("127.0.0.1", contender.port, timeout=30)))
    body = load.request_body("bench", stream=False)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {contender.key}"}

    def ask() -> None:
        connection.request("POST", load.PATH, body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{contender.name} answers {answer.status}: {said[-300:].decode(errors='replace')}")

    return ask


def _sync(file: int) -> None:
    os.pwrite(file, PAGE, 0)
    os.fsync(file)


if __name__ == "__main__":
    main()

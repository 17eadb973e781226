"""What a request costs: `make bench`, or `python -m bench.run --help`.

The measured server has one core to itself; the provider and the clients share another. The reference is nginx, which
passes the same requests to the same provider, in the same run and by turns: figures of different runs do not compare.
`translated` is `paced` with a caller of Anthropic's format and a provider of OpenAI's; nginx passes chats there, too.

Beside it: `python -m bench.latency` (what 50 calls a second wait), `python -m bench.streams` (1,000 streams at once),
`python -m bench.slow_reader` (200 MB read slowly).
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench import contenders, hotspots, load, report
from bench.contenders import Contender
from bench.processes import cores, cost

OUT = Path(__file__).parent / "out"
CASES = ("buffered", "streamed", "paced", "translated")
AGAINST = "against"
WARM_UP_S = 2
PACED_STREAMS = 500


def main() -> None:
    options = _options()
    measured, other = cores()
    os.sched_setaffinity(0, {other})
    with tempfile.TemporaryDirectory(prefix="tollhouse-bench-") as name:
        folder = Path(name)
        with (
            contenders.upstream(other) as port,
            contenders.nginx(measured, port, folder) as reference,
            contenders.gateway(measured, port, folder, options.gateway_cmd) as gateway,
            ExitStack() as more,
        ):
            if options.profile:
                _profile(gateway, options, other, folder)
                return
            servers = [reference, gateway]
            if options.against_cmd:
                command = options.against_cmd
                servers.append(more.enter_context(contenders.gateway(measured, port, folder, command, AGAINST)))
            rounds = list(_rounds(servers, options, other, folder))
    print(report.interpreter())
    print(report.table(rounds))
    for line in report.compared(rounds, "gateway", AGAINST):
        print(line)
    report.write_json(rounds, OUT / "bench.json")
    print(f"\nMedians of {options.rounds} rounds of {options.seconds} s; each figure of them: bench/out/bench.json")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=int, default=8, help="length of one round of one server")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=CASES, action="append", help="this kind of load only; may be repeated")
    parser.add_argument("--gateway-cmd", default=contenders.GATEWAY_COMMAND, help="how to start the gateway")
    parser.add_argument(
        "--against-cmd", default="", help="a second gateway, measured by turns with the first: an older state of it"
    )
    parser.add_argument("--profile", action="store_true", help="show where the gateway's time goes, measure nothing")
    return parser.parse_args()


def _rounds(
    servers: Sequence[Contender], options: argparse.Namespace, core: int, folder: Path
) -> Iterator[report.Round]:
    for case in options.only or CASES:
        asked = [server for server in servers if case != "translated" or server.name != AGAINST]
        for server in asked:
            load.check(server, "bench", stream=case != "buffered")
            _apply(server, case, WARM_UP_S, core, folder)
        for number in range(options.rounds):
            for server in asked:
                print(f"{case} {number + 1}/{options.rounds} {server.name}", flush=True)
                before = cost(server.pid)
                seen = _apply(server, case, options.seconds, core, folder)
                after = cost(server.pid)
                cpu_us = (after.cpu_s - before.cpu_s) * 1e6 / max(1, seen.done)
                yield report.Round(case, server.name, seen, cpu_us, after.rss)


def _apply(server: Contender, case: str, seconds: int, core: int, folder: Path) -> load.Load:
    if case in ("paced", "translated"):
        return asyncio.run(load.paced(server, PACED_STREAMS, translated=case == "translated"))
    return load.wrk(server, core, seconds, folder, stream=case == "streamed")


def _profile(gateway: Contender, options: argparse.Namespace, core: int, folder: Path) -> None:
    OUT.mkdir(exist_ok=True)
    for case in options.only or CASES:
        load.check(gateway, "bench", stream=case != "buffered")
        _apply(gateway, case, WARM_UP_S, core, folder)
        raw = OUT / f"{case}.stacks"
        with hotspots.watched(gateway.pid, options.seconds, raw):
            _apply(gateway, case, options.seconds + 1, core, folder)
        print(f"\n== {case}: where the time goes ==\n{hotspots.summary(raw.read_text(encoding='utf-8'))}")


if __name__ == "__main__":
    main()

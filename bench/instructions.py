"""How many instructions a call costs: `make bench-instructions`, or `python -m bench.instructions --help`.

valgrind runs the whole platform and counts the instructions of all its threads in user mode (none of the kernel's). The
count hardly differs from run to run, however busy the machine is, so that a change of one per cent shows. It says
nothing of waiting for memory: `bench.run` measures time.
"""

import argparse
import http.client
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from bench import contenders, load
from bench.contenders import Contender
from bench.processes import cores

FEW, MANY = 160, 1_760
CLIENTS = 16
CASES = ("buffered", "streamed")
_COUNT = "valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null --log-file={log}"
_START = "{python} -m tollhouse demo --json --dir {{dir}} --port {{port}} --config {{config}}"
_REFERENCES = re.compile(r"I\s+refs:\s+([\d,]+)")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.instructions", description=__doc__)
    parser.add_argument("--against", type=Path, help="the folder of another state of the platform, installed there")
    parser.add_argument("--only", choices=CASES, action="append", help="this kind of call only; may be repeated")
    options = parser.parse_args()
    pythons = [Path(sys.executable)]
    if options.against is not None:
        pythons.append(options.against / ".venv/bin/python")
        if not pythons[-1].exists():
            parser.error(f"{pythons[-1]} is not there: install that state first")
    for case in options.only or CASES:
        counts = [_per_call(python, stream=case == "streamed") for python in pythons]
        print(f"{case}: {counts[0]:,} instructions a call", flush=True)
        for count in counts[1:]:
            print(f"{case}: {count:,} there, {100 * (counts[0] / count - 1):+.1f} % here", flush=True)


def _per_call(python: Path, *, stream: bool) -> int:
    """What a further call costs, so that neither the start counts nor the first call of each connection."""
    few, many = (_counted(python, calls, stream=stream) for calls in (FEW, MANY))
    return (many - few) // (MANY - FEW)


def _counted(python: Path, calls: int, *, stream: bool) -> int:
    """Instructions of a platform from its start to its end, with so many calls."""
    measured, other = cores()
    with tempfile.TemporaryDirectory(prefix="tollhouse-bench-") as name:
        log = Path(name) / "valgrind.log"
        command = f"{_COUNT.format(log=log)} {_START.format(python=python)}"
        with (
            contenders.upstream(other) as port,
            contenders.gateway(measured, port, Path(name), command) as gateway,
            ThreadPoolExecutor(CLIENTS) as clients,
        ):
            for done in [clients.submit(_ask, gateway, calls // CLIENTS, stream) for _ in range(CLIENTS)]:
                done.result()
        found = _REFERENCES.search(log.read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("valgrind has counted nothing: the platform did not end by itself")
    return int(found[1].replace(",", ""))


def _ask(gateway: Contender, calls: int, stream: bool) -> None:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {gateway.key}"}
    asked = load.request_body("bench", stream)
    with closing(http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=120)) as connection:
        for _ in range(calls):
            connection.request("POST", load.PATH, asked, headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise SystemExit(f"{gateway.name} answers {answer.status}: {body[-300:].decode(errors='replace')}")


if __name__ == "__main__":
    main()

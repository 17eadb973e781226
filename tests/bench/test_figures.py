"""The benchmark reads its instruments rightly: wrk's words, the kernel's counters, py-spy's stacks."""

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from bench import hotspots, latency, load, report
from bench.processes import cost

WRK = """\
Running 3s test @ http://127.0.0.1:1/v1/chat/completions
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.56ms    1.02ms  21.39ms   92.50%
    Req/Sec    12.60k   812.00    13.70k    73.33%
  Latency Distribution
     50%  812.00us
     75%    2.66ms
     90%    3.02ms
     99%    1.50s
  37600 requests in 3.00s, 44.12MB read
  Socket errors: connect 0, read 3, write 0, timeout 1
  Non-2xx or 3xx responses: 20
Requests/sec:  12533.12
Transfer/sec:     14.70MB
"""


def test_wrk_is_read_and_refused_requests_do_not_count_as_done() -> None:
    seen = load.read_wrk(WRK)
    assert seen == load.Load(done=37_576, bad=24, per_s=12_533.12, p50_ms=0.812, p99_ms=1500.0)


def test_wrk_without_trouble_has_no_bad_requests() -> None:
    quiet = "\n".join(line for line in WRK.splitlines() if "errors" not in line and "Non-2xx" not in line)
    assert (load.read_wrk(quiet).done, load.read_wrk(quiet).bad) == (37_600, 0)


def test_the_cost_of_a_tree_has_the_children_in_it() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass\nprint('burnt', flush=True)\ninput()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {burn!r}])"
    with subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"burnt\n"
        spent = cost(process.pid)
        process.communicate(b"\n")
    assert spent.cpu_s >= 0.25
    assert spent.rss > 1_000_000
    assert cost(os.getpid()).cpu_s > 0


def _round(contender: str, cpu_us: float) -> report.Round:
    return report.Round("buffered", contender, load.Load(10, 0, 5.0, 1.0, 2.0), cpu_us, 2**20)


def test_the_ratio_is_taken_within_each_round(tmp_path: Path) -> None:
    rounds = [_round("nginx", 10), _round("gateway", 30), _round("nginx", 20), _round("gateway", 40)]
    assert report.ratio_of([30, 40], [10, 20]) == pytest.approx(2.5)
    assert [line.split()[:4] for line in report.table(rounds).splitlines()[1:]] == [
        ["buffered", "nginx", "15.0", "1.00"],
        ["buffered", "gateway", "35.0", "2.50"],
    ]
    report.write_json(rounds, tmp_path / "out" / "bench.json")
    assert [row["cpu_us"] for row in json.loads((tmp_path / "out" / "bench.json").read_text())["rounds"]] == [
        row.cpu_us for row in rounds
    ]


def test_two_gateways_are_compared_round_by_round() -> None:
    rounds = [_round("gateway", 30), _round("against", 20), _round("gateway", 40), _round("against", 50)]
    assert report.compared(rounds, "gateway", "against") == [
        "buffered: gateway costs +15.0 % of CPU beside against (-20.0 to +50.0 %)"
    ]
    assert report.compared([_round("gateway", 30)], "gateway", "against") == []


def test_stacks_are_counted_by_room_and_by_function() -> None:
    raw = (
        "main (/x/src/tollhouse/app.py:9);read (/x/src/tollhouse/edge/exchange.py:10) 6\n"
        "main (/x/src/tollhouse/app.py:9);read (/x/src/tollhouse/edge/exchange.py:12) 2\n"
        "main (/x/src/tollhouse/app.py:9);run (/x/site-packages/uvicorn/server.py:70) 1\n"
        "main (/x/src/tollhouse/app.py:9);loads (/x/lib/python3.11/json/__init__.py:3) 1\n"
    )
    lines = hotspots.summary(raw).splitlines()
    assert lines[:4] == ["share  room", " 80.0% tollhouse/edge", " 10.0% uvicorn", " 10.0% Python's own library"]
    assert " 80.0% read (tollhouse/edge/exchange.py)" in lines


def test_what_a_call_takes_beyond_the_disk_is_told_apart() -> None:
    asked: list[str] = []
    kinds = {name: partial(asked.append, name) for name in ("direct", "gateway", "fsync")}
    assert {name: len(times) for name, times in latency.timed(kinds, 3, 0.0).items()} == dict.fromkeys(kinds, 3)
    assert asked == ["direct", "gateway", "fsync"] * 3
    shown = latency.table({"direct": [1.0] * 200, "gateway": [4.0] * 200, "fsync": [2.5] * 200}).splitlines()
    assert [line.split()[-2:] for line in shown[1:]] == [
        ["1.00", "1.00"],
        ["4.00", "4.00"],
        ["2.50", "2.50"],
        ["3.00", "3.00"],
        ["0.50", "0.50"],
    ]

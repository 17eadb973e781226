"""What refused calls write to the log is bounded, of one caller and in all, and what is left out is counted."""

import io
import json
from typing import Any

from msgspec.structs import replace

from tests.edge.seen_calls import FINISHED
from tollhouse.clock import SystemClock
from tollhouse.edge.event_log import EventLog, open_log
from tollhouse.edge.log_bounds import EACH_PER_MINUTE, LineBounds

REFUSED = replace(FINISHED, ending="refused", status=429, error="rate_limit_exceeded", time_ms=60_000_000)


def logged(*records: Any) -> list[dict[str, Any]]:
    out = io.BytesIO()
    kept = EventLog(open_log(out, SystemClock()), out)
    kept.write(records)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_flood_of_refused_calls_is_few_lines_and_others_are_logged() -> None:
    other = replace(REFUSED, account_id="acc_other", time_ms=REFUSED.time_ms + 1)
    later = replace(other, time_ms=REFUSED.time_ms + 60_000)
    found = logged(*[REFUSED] * 5_000, other, *[FINISHED] * 3, later)
    flood = [line for line in found if line.get("account_id") == REFUSED.account_id and line["status"] == 429]
    assert len(flood) == EACH_PER_MINUTE
    assert sum(line.get("account_id") == "acc_other" for line in found) == 2
    assert [line["lines"] for line in found if line["event"] == "left_out"] == [5_000 - EACH_PER_MINUTE]
    assert sum(line.get("ending") == FINISHED.ending for line in found) == 3


def test_many_callers_together_have_a_bound_too_and_so_has_the_memory_of_them() -> None:
    bounds = LineBounds(each=10, in_all=100)
    assert sum(bounds.admit(f"192.0.2.{number}", 0) for number in range(100_000)) == 100
    assert bounds.left_out(0) == 0
    assert bounds.left_out(60_000) == 99_900
    assert bounds.left_out(60_000) == 0
    assert bounds.admit("192.0.2.1", 60_000)

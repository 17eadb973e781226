"""Time is cut into whole minutes, hours, days and weeks of a zone, also where its clocks change."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from tollhouse.core.failure import BadRequest
from tollhouse.core.roll_up import DAY_MS, HOUR_MS, QUARTER_MS
from tollhouse.services.usage_spans import MINUTE_MS, Every, before, cut, spans_of, usual_every

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = "UTC") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000


@pytest.mark.parametrize(
    ("zone", "start", "hours"),
    [
        ("UTC", "2026-03-27", [24, 24, 24, 24]),
        (BERLIN, "2026-03-27", [24, 24, 23, 24]),
        (BERLIN, "2026-10-23", [24, 24, 25, 24]),
        ("Australia/Lord_Howe", "2026-04-03", [24, 24, 24.5, 24]),
    ],
)
def test_days_are_those_of_the_zone(zone: str, start: str, hours: list[float]) -> None:
    begins = at(start, zone)
    made = cut(begins + 3 * HOUR_MS, begins + 3 * DAY_MS + 4 * HOUR_MS, "day", zone)
    assert [(end - start) / HOUR_MS for start, end in pairwise(made.edges)] == hours
    assert made.from_ms == begins
    assert before(made).to_ms == begins


@pytest.mark.parametrize("zone", ["UTC", BERLIN, "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe"])
@pytest.mark.parametrize("every", ["hour", "day", "week"])
@pytest.mark.parametrize("start", ["2026-03-26", "2026-10-22", "2026-04-01", "2026-07-01"])
def test_sums_of_every_quarter_fall_into_their_span(zone: str, every: Every, start: str) -> None:
    """A sum's span is found by arithmetic in the database, and by the middle of what comes back."""
    begins = at(start, zone)
    made = cut(begins, begins + 6 * DAY_MS, every, zone)
    spans = spans_of(made)
    assert spans.width_ms is not None
    for begin_ms, end_ms in pairwise(made.edges):
        for quarter_ms in range(begin_ms, end_ms, QUARTER_MS):
            shift = next((one for until, one in spans.shifts if quarter_ms < until), spans.shifts[-1][1])
            middle_ms = quarter_ms - (quarter_ms + shift) % spans.width_ms + spans.width_ms // 2
            assert begin_ms <= middle_ms < end_ms


def test_minutes_and_hours_are_whole() -> None:
    made = cut(at("2026-11-30T10:07:30"), at("2026-11-30T10:09:01"), "minute", "UTC")
    assert made.edges == tuple(at("2026-11-30T10:07:00") + place * MINUTE_MS for place in range(4))
    hours = cut(at("2026-11-30T10:07:30"), at("2026-11-30T11:00:00"), "hour", "Asia/Kathmandu")
    assert [edge % HOUR_MS for edge in hours.edges] == [QUARTER_MS] * 3


@pytest.mark.parametrize(
    ("length_ms", "every"),
    [(HOUR_MS, "minute"), (DAY_MS, "hour"), (3 * DAY_MS, "hour"), (7 * DAY_MS, "day"), (200 * DAY_MS, "week")],
)
def test_usual_spans_fit_the_time(length_ms: int, every: Every) -> None:
    now_ms = at("2026-11-30")
    assert usual_every(now_ms - length_ms, now_ms, now_ms) == every
    assert usual_every(now_ms - 40 * HOUR_MS, now_ms - 39 * HOUR_MS, now_ms) == "hour"


def test_too_many_spans_and_none_are_refused() -> None:
    with pytest.raises(BadRequest, match="more than 180"):
        cut(0, 100 * DAY_MS, "hour", "UTC")
    with pytest.raises(BadRequest, match="not before"):
        cut(5, 5, "hour", "UTC")

"""Windows: a function of time that leaves no instant out and counts none twice, in every zone of the Earth."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tollhouse.billing.windows import BadZone, Window, WindowKind, begins_ms, time_zone, window

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
zones = st.sampled_from(sorted(available_timezones()))
kinds: st.SearchStrategy[WindowKind] = st.sampled_from(["day", "week", "month"])
instants = st.integers(0, 4_102_444_800_000)  # until 2100


def at(text: str, zone: str = "UTC") -> int:
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))).timestamp()) * 1000


def hours(found: Window) -> int:
    assert found.end_ms is not None
    return (found.end_ms - found.start_ms) // HOUR_MS


@given(kinds, instants, zones)
@example("day", at("2006-10-29T03:00:00+00:00"), "America/St_Johns")  # the clocks went back from 00:01 to 23:01
@example("week", at("2006-10-29T03:00:00+00:00"), "America/St_Johns")
@example("day", at("2011-12-30T09:59:59+00:00"), "Pacific/Apia")  # the 30th was left out
@example("day", at("2018-11-04T03:00:00+00:00"), "America/Sao_Paulo")  # 00:00 did not exist
@example("day", at("2024-11-03T05:30:00+00:00"), "America/Havana")  # 00:00 came twice
def test_windows_tile_time(kind: WindowKind, now_ms: int, zone: str) -> None:
    found = window(kind, now_ms, zone)
    assert found.end_ms is not None
    assert found.start_ms <= now_ms < found.end_ms
    assert window(kind, found.start_ms, zone) == found
    assert window(kind, found.end_ms - 1, zone) == found
    assert window(kind, found.end_ms, zone).start_ms == found.end_ms
    before = window(kind, found.start_ms - 1, zone)
    assert before.end_ms == found.start_ms
    shortest = {"day": 12 * HOUR_MS, "week": 5 * DAY_MS, "month": 27 * DAY_MS}[kind]
    longest = {"day": 36 * HOUR_MS, "week": 9 * DAY_MS, "month": 33 * DAY_MS}[kind]
    assert shortest <= found.end_ms - found.start_ms <= longest


@pytest.mark.parametrize(
    ("kind", "now", "start", "end"),
    [
        ("day", "2026-03-01T00:00:00", "2026-03-01", "2026-03-02"),
        ("day", "2026-03-01T23:59:59", "2026-03-01", "2026-03-02"),
        ("week", "2026-09-21T00:00:00", "2026-09-21", "2026-09-28"),  # a Monday
        ("week", "2026-09-27T23:59:59", "2026-09-21", "2026-09-28"),  # a Sunday
        ("week", "2027-01-01T12:00:00", "2026-12-28", "2027-01-04"),
        ("month", "2026-02-28T23:59:59", "2026-02-01", "2026-03-01"),
        ("month", "2028-02-29T12:00:00", "2028-02-01", "2028-03-01"),
        ("month", "2026-12-31T23:59:59", "2026-12-01", "2027-01-01"),
    ],
)
def test_windows_of_utc(kind: WindowKind, now: str, start: str, end: str) -> None:
    assert window(kind, at(now)) == Window(at(start), at(end))


def test_a_day_of_the_zone_is_not_a_day_of_utc() -> None:
    now = at("2026-08-06T04:30:00")
    assert window("day", now, "America/Los_Angeles") == Window(at("2026-08-05T07:00:00"), at("2026-08-06T07:00:00"))
    assert window("month", at("2026-08-31T16:00:00"), "Asia/Shanghai").start_ms == at("2026-08-31T16:00:00")


def test_days_are_23_and_25_hours_where_the_clocks_change_and_weeks_follow() -> None:
    assert hours(window("day", at("2026-03-29T12:00:00"), "Europe/Berlin")) == 23
    assert hours(window("day", at("2026-10-25T12:00:00"), "Europe/Berlin")) == 25
    assert hours(window("week", at("2026-10-25T12:00:00"), "Europe/Berlin")) == 7 * 24 + 1
    assert hours(window("day", at("2026-10-26T12:00:00"), "Europe/Berlin")) == 24


def test_total_begins_with_the_budget_and_never_ends() -> None:
    assert window("total", at("2026-03-29"), "Europe/Berlin", 77) == Window(77, None)


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "../../etc/passwd", "/etc/passwd", "UTC\x00", "utc " * 50, "Europe"]
)
def test_a_zone_that_is_none_is_told_so(name: str) -> None:
    with pytest.raises(BadZone, match="Asia/Shanghai"):
        window("day", 0, name)


def test_zones_are_found_by_name() -> None:
    assert time_zone("UTC") is UTC
    assert begins_ms(datetime(2026, 1, 1, tzinfo=UTC).date(), time_zone("Asia/Tokyo")) == at("2025-12-31T15:00:00")


def test_bounds_of_a_window_are_whole_milliseconds() -> None:
    found = window("day", 1_790_000_000_000, "Asia/Kathmandu")
    assert {type(found.start_ms), type(found.end_ms)} == {int}

"""Spans of a bill, as balance tools ask for them: dates of three spellings, futures, slices."""

import re
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.billing.span import Span, day_edges, read_span, today
from tollhouse.billing.windows import Window, window
from tollhouse.core.failure import BadRequest


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


NOW = at("2026-11-19T14:07:31")
MONTH = window("month", NOW)


def span(start: str | None, end: str | None, zone: str = "UTC", missing: Window = MONTH) -> Span:
    return read_span(start, end, NOW, missing, zone)


def test_without_dates_it_is_this_month_or_the_window_that_binds_until_now() -> None:
    assert span(None, None) == span("", "") == Span(at("2026-11-01"), NOW)
    assert span(None, None, missing=Window(at("2026-11-16"), at("2026-11-23"))) == Span(at("2026-11-16"), NOW)


def test_padded_unpadded_and_unix_are_the_same_day() -> None:
    whole = Span(at("2026-11-01"), at("2026-11-09"))
    assert span("2026-11-01", "2026-11-09") == span("2026-11-1", "2026-11-9") == whole
    assert span(str(at("2026-11-01") // 1000), str(at("2026-11-09") // 1000)) == whole


@pytest.mark.parametrize("end", ["2026-11-20", "2026-12-19", "2030-01-01", "2026-11-19", None, "1900000000", "9" * 15])
def test_an_end_of_today_or_later_means_until_now(end: str | None) -> None:
    """From the first to tomorrow, or from a month ago to a month ahead."""
    assert span("2026-11-1", end) == span(None, None)


def test_an_end_before_today_is_exclusive() -> None:
    assert span("2026-11-01", "2026-11-18").end_ms == at("2026-11-18")
    assert span("2026-11-18", "2026-11-18") == Span(at("2026-11-18"), at("2026-11-18"))


def test_a_start_after_the_end_or_in_the_future_is_empty_and_no_error() -> None:
    for start, end in (("2026-11-15", "2026-11-10"), ("2027-01-01", "2030-01-01"), ("2027-01-01", None)):
        found = span(start, end)
        assert found.start_ms == found.end_ms


def test_days_are_those_of_the_zone_of_the_bill() -> None:
    found = span("2026-11-01", "2026-11-09", "America/Los_Angeles")
    assert found == Span(at("2026-11-01T07:00:00"), at("2026-11-09T08:00:00"))
    early = at("2026-11-19T04:00:00")  # still the 18th in Los Angeles
    assert read_span("2026-11-01", "2026-11-18", early, MONTH, "America/Los_Angeles").end_ms == early
    assert today(early, "America/Los_Angeles") == date(2026, 11, 18)
    assert today(early) == date(2026, 11, 19)


def test_the_first_to_tomorrow_equals_the_answer_without_dates_in_every_zone() -> None:
    for zone in ("UTC", "Asia/Shanghai", "America/Los_Angeles", "Asia/Kathmandu"):
        missing = window("month", NOW, zone)
        assert span("2026-11-1", "2026-11-20", zone, missing) == span(None, None, zone, missing)


def test_instants_are_taken_back_to_the_quarter_in_which_usage_is_kept() -> None:
    found = span(str(at("2026-11-02T10:14:59") // 1000), str(at("2026-11-02T11:15:00") // 1000))
    assert found == Span(at("2026-11-02T10:00:00"), at("2026-11-02T11:15:00"))


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-30", "2026-13-01", "2026-00-10", "2026-11-0", "0000-01-01", "26-11-01", "2026/11/01", "2026-11"),
        *(
            "2026-11-01T00:00:00",
            "yesterday",
            "-5",
            "+5",
            "1e9",
            "1.5",
            "٢٠٢٦-١١-٠١",
            " 2026-11-01",
            "9" * 16,
            "x" * 500,
        ),
    ],
)
@pytest.mark.parametrize("param", ["start_date", "end_date"])
def test_what_is_no_date_is_refused_naming_the_parameter(param: str, text: str) -> None:
    given = {"start_date": "2026-11-01", "end_date": "2026-11-05"} | {param: text}
    with pytest.raises(BadRequest, match=re.escape(param)) as caught:
        span(given["start_date"], given["end_date"])
    assert caught.value.param == param
    assert len(caught.value.message) < 120


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/Los_Angeles"])
@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31", "1970-01-01", "9999-12-31", "0", "000"])
def test_the_ends_of_time_are_no_error(text: str, zone: str) -> None:
    found = span(text, text, zone)
    assert 0 <= found.start_ms <= found.end_ms <= NOW


@given(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]), st.integers(1, 400), st.booleans())
def test_slices_of_any_length_meet_without_gap_or_overlap(zone: str, days: int, unix: bool) -> None:
    """From 2020 to 2030, as the original refused more than a hundred days: the whole is the sum of its slices."""
    first, last = date(2020, 1, 1), date(2030, 1, 1)

    def spelled(day: date) -> str:
        if unix:
            return str(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))
        return f"{day.year}-{day.month}-{day.day}"

    boundaries = [first + timedelta(days=days * number) for number in range((last - first).days // days + 1)]
    if any(_around_today(day, zone) for day in boundaries):
        return
    slices = [span(spelled(day), spelled(after), zone) for day, after in pairwise([*boundaries, last])]
    whole = span(spelled(first), spelled(last), zone)
    assert sum(each.end_ms - each.start_ms for each in slices) == whole.end_ms - whole.start_ms
    filled = [each for each in slices if each.start_ms < each.end_ms]
    assert all(before.end_ms == after.start_ms for before, after in pairwise(filled))
    assert (filled[0].start_ms, filled[-1].end_ms) == (whole.start_ms, whole.end_ms)


def test_the_days_of_a_span_meet_at_midnight_of_their_zone() -> None:
    start, end = at("2026-11-17T10:00"), at("2026-11-19T06:15")
    assert day_edges(Span(start, end), NOW) == [start, at("2026-11-18"), at("2026-11-19"), end]
    in_shanghai = day_edges(Span(start, end), NOW, "Asia/Shanghai")
    assert in_shanghai == [start, at("2026-11-17T16:00"), at("2026-11-18T16:00"), end]
    assert day_edges(Span(at("2026-11-18"), at("2026-11-19")), NOW) == [at("2026-11-18"), at("2026-11-19")]


def test_a_span_until_now_ends_with_today_and_an_empty_one_has_one_edge() -> None:
    assert day_edges(span("2026-11-18", None), NOW) == [at("2026-11-18"), at("2026-11-19"), at("2026-11-20")]
    late = day_edges(span("2026-11-18", None, "America/Los_Angeles"), NOW, "America/Los_Angeles")
    assert late == [at("2026-11-18T08:00"), at("2026-11-19T08:00"), at("2026-11-20T08:00")]
    for zone in ("UTC", "Asia/Shanghai"):
        assert len(day_edges(span("2027-01-01", "2030-01-01", zone), NOW, zone)) == 1


def _around_today(day: date, zone: str) -> bool:
    """A slice that ends today reaches until now, as an end of today always does: the next one meets it too early."""
    return abs((day - today(NOW, zone)).days) <= 1


@pytest.mark.parametrize("text", ["0000-01-01", "9999-02-29", "1" * 16, "\u0662026-01-01"])
def test_what_no_calendar_has_is_no_date(text: str) -> None:
    for start, end in ((text, None), (None, text)):
        with pytest.raises(BadRequest, match="is no date"):
            read_span(start, end, NOW, window("month", NOW))


@pytest.mark.parametrize("text", ["9999-12-31", "253402300799", "9" * 15, "0001-01-01", "0"])
@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_first_and_the_last_dates_make_a_span(text: str, zone: str) -> None:
    for start, end in ((text, None), (None, text)):
        span = read_span(start, end, NOW, window("month", NOW), zone)
        assert day_edges(span, NOW, zone)

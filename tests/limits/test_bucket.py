"""Token buckets: exact, never more than the limit and what flows off, honest about when there is room again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.limits.bucket import EMPTY, MINUTE_MS, Bucket, give_back, settled, standing, take, wait_ms

T = 1_790_000_000_000
limits = st.integers(1, 10_000)
pauses = st.lists(st.integers(0, 5_000), max_size=200)


def fill(per_minute: int, now_ms: int, count: int) -> Bucket:
    bucket = EMPTY
    for _ in range(count):
        taken = take(bucket, per_minute, now_ms)
        assert taken is not None
        bucket = taken
    return bucket


def test_a_full_minutes_worth_may_come_at_once_and_then_no_more() -> None:
    bucket = fill(60, T, 60)
    assert take(bucket, 60, T) is None
    assert take(bucket, 60, T + 999) is None
    assert take(bucket, 60, T + 1_000) is not None


@given(limits, pauses)
def test_never_more_than_burst_plus_flow(per_minute: int, gaps: list[int]) -> None:
    bucket, now, taken = EMPTY, T, 0
    for gap in gaps:
        now += gap
        for _ in range(3):
            after = take(bucket, per_minute, now)
            if after is not None:
                bucket, taken = after, taken + 1
    assert taken * MINUTE_MS <= per_minute * (MINUTE_MS + now - T)


@given(limits, st.integers(0, 200), st.integers(1, 300))
def test_the_wait_is_exact_to_the_millisecond(per_minute: int, used: int, units: int) -> None:
    bucket = fill(per_minute, T, min(used, per_minute))
    wait = wait_ms(bucket, per_minute, T, units)
    if wait is None:
        assert units > per_minute
        assert take(bucket, per_minute, T + 10 * MINUTE_MS, units) is None
        return
    assert take(bucket, per_minute, T + wait, units) is not None
    assert wait == 0 or take(bucket, per_minute, T + wait - 1, units) is None


@given(limits, st.integers(0, 200))
def test_standings_add_up_and_reset_is_when_all_is_free(per_minute: int, used: int) -> None:
    used = min(used, per_minute)
    bucket = fill(per_minute, T, used)
    seen = standing(bucket, per_minute, T)
    assert seen.limit == per_minute
    assert seen.remaining == per_minute - used
    assert standing(bucket, per_minute, T + seen.reset_ms).remaining == per_minute
    assert (seen.reset_ms == 0) == (used == 0)
    assert seen.reset_ms <= MINUTE_MS


def test_a_raised_limit_frees_the_difference_at_once() -> None:
    bucket = fill(10, T, 10)
    assert take(bucket, 10, T) is None
    assert standing(bucket, 15, T).remaining == 5
    assert take(bucket, 15, T, 5) is not None


def test_a_lowered_limit_binds_at_once_and_for_a_minute_at_most() -> None:
    bucket = fill(1_000, T, 900)
    assert take(bucket, 10, T) is None
    assert standing(bucket, 10, T).remaining == 0
    assert take(bucket, 10, T + MINUTE_MS // 10) is not None
    assert standing(bucket, 10, T + MINUTE_MS).remaining == 10


def test_units_come_back() -> None:
    bucket = fill(10, T, 10)
    assert standing(give_back(bucket, 4), 10, T).remaining == 4
    assert standing(give_back(EMPTY, 4), 10, T).remaining == 10
    assert standing(give_back(fill(10, T, 1), -4), 10, T).remaining == 5


def test_a_clock_that_jumps_back_frees_nothing_and_breaks_nothing() -> None:
    bucket = fill(10, T, 10)
    assert take(bucket, 10, T - 3_600_000) is None
    assert settled(bucket, 10, T - 1) == bucket
    assert take(bucket, 10, T + 6_000) is not None


@pytest.mark.parametrize("units", [0, 1, 5])
def test_a_limit_of_zero_lets_nothing_in(units: int) -> None:
    assert (take(EMPTY, 0, T, units) is None) == (units > 0)
    assert standing(EMPTY, 0, T).remaining == 0
    assert wait_ms(EMPTY, 0, T, 1) is None

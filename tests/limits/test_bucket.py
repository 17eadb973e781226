"""Token buckets: exact, never more than the limit and what flows off, honest about when there is room again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.limit_status import LimitStatus
from tollhouse.limits.bucket import MINUTE_MS, RateBucket, RateBuckets, fits, give_back, settle, status, take, wait_ms
from tollhouse.limits.counter_key import CounterKey, Limit

T = 1_790_000_000_000
limits = st.integers(1, 10_000)
pauses = st.lists(st.integers(0, 5_000), max_size=200)


def full(per_minute: int, used: int, now_ms: int = T) -> RateBucket:
    bucket = RateBucket(0, now_ms, per_minute)
    assert fits(bucket, used)
    take(bucket, used)
    return bucket


def later(bucket: RateBucket, now_ms: int, per_minute: int | None = None) -> RateBucket:
    after = RateBucket(bucket.spent, bucket.at_ms, bucket.per_minute)
    settle(after, bucket.per_minute if per_minute is None else per_minute, now_ms)
    return after


def test_a_full_minutes_worth_may_come_at_once_and_then_no_more() -> None:
    bucket = full(60, 60)
    assert not fits(bucket, 1)
    assert not fits(later(bucket, T + 999), 1)
    assert fits(later(bucket, T + 1_000), 1)
    assert not fits(later(bucket, T + 1_000), 2)


@given(limits, pauses)
def test_never_more_than_burst_plus_flow(per_minute: int, gaps: list[int]) -> None:
    bucket, now, taken = RateBucket(0, T, per_minute), T, 0
    for gap in gaps:
        now += gap
        settle(bucket, per_minute, now)
        for _ in range(3):
            if fits(bucket, 1):
                take(bucket, 1)
                taken += 1
    assert taken * MINUTE_MS <= per_minute * (MINUTE_MS + now - T)


@given(limits, st.integers(0, 200), st.integers(1, 300))
def test_the_wait_is_exact_to_the_millisecond(per_minute: int, used: int, units: int) -> None:
    bucket = full(per_minute, min(used, per_minute))
    wait = wait_ms(bucket, units)
    if wait is None:
        assert units > per_minute
        assert not fits(later(bucket, T + 10 * MINUTE_MS), units)
        return
    assert fits(later(bucket, T + wait), units)
    assert wait == 0 or not fits(later(bucket, T + wait - 1), units)


@given(limits, st.integers(0, 200))
def test_standings_add_up_and_reset_is_when_all_is_free(per_minute: int, used: int) -> None:
    used = min(used, per_minute)
    bucket = full(per_minute, used)
    seen = status(bucket)
    assert seen.limit == per_minute
    assert seen.remaining == per_minute - used
    assert status(later(bucket, T + seen.reset_ms)).remaining == per_minute
    assert (seen.reset_ms == 0) == (used == 0)
    assert seen.reset_ms <= MINUTE_MS


def test_a_raised_limit_frees_the_difference_at_once() -> None:
    bucket = full(10, 10)
    assert not fits(bucket, 1)
    raised = later(bucket, T, 15)
    assert status(raised).remaining == 5
    assert fits(raised, 5)
    assert not fits(raised, 6)


def test_a_lowered_limit_binds_at_once_and_for_a_minute_at_most() -> None:
    bucket = full(1_000, 900)
    lowered = later(bucket, T, 10)
    assert not fits(lowered, 1)
    assert status(lowered) == LimitStatus(10, 0, MINUTE_MS)
    assert fits(later(lowered, T + MINUTE_MS // 10), 1)
    assert status(later(lowered, T + MINUTE_MS)).remaining == 10


def test_a_debt_flows_off_like_the_rest_and_is_not_forgiven() -> None:
    bucket = full(10, 10)
    give_back(bucket, -20)
    assert wait_ms(bucket, 1) == 2 * MINUTE_MS + MINUTE_MS // 10
    assert status(bucket) == LimitStatus(10, 0, 3 * MINUTE_MS)
    assert not fits(later(bucket, T + 2 * MINUTE_MS), 1)
    assert status(later(bucket, T + 3 * MINUTE_MS)).remaining == 10


def test_units_come_back() -> None:
    bucket = full(10, 10)
    give_back(bucket, 4)
    assert status(bucket).remaining == 4
    give_back(bucket, 40)
    assert status(bucket).remaining == 10
    give_back(bucket, -4)
    assert status(bucket).remaining == 6


def test_a_clock_that_jumps_back_frees_nothing_and_breaks_nothing() -> None:
    bucket = full(10, 10)
    assert later(bucket, T - 3_600_000) == bucket
    assert later(bucket, T - 1) == bucket
    assert later(bucket, T) == bucket
    assert fits(later(bucket, T + 6_000), 1)


@pytest.mark.parametrize("units", [0, 1, 5])
def test_a_limit_of_zero_lets_nothing_in(units: int) -> None:
    bucket = RateBucket(0, T, 0)
    assert fits(bucket, units) == (units == 0)
    assert status(bucket) == LimitStatus(0, 0, MINUTE_MS)
    assert wait_ms(bucket, 1) is None
    assert wait_ms(bucket, 0) == 0


HERE = Limit(CounterKey("key", "key_k"), 10)


def test_looking_changes_nothing() -> None:
    buckets = RateBuckets()
    assert buckets.status([HERE], T) == [LimitStatus(10, 10, 0)]
    assert len(buckets) == 0
    take(buckets.at(HERE, T), 4)
    assert buckets.status([Limit(HERE.key, 2)], T) == [LimitStatus(2, 0, MINUTE_MS)]
    assert buckets.status([HERE], T) == [LimitStatus(10, 6, 24_000)]


def test_a_call_that_ends_after_its_limit_was_raised_does_not_lower_it_again() -> None:
    buckets = RateBuckets()
    take(buckets.at(HERE, T), 10)
    raised = Limit(HERE.key, 20)
    take(buckets.at(raised, T), 10)
    give_back(buckets.present(HERE, T), 0)
    assert buckets.status([raised], T) == [LimitStatus(20, 0, MINUTE_MS)]
    assert buckets.present(Limit(CounterKey("key", "key_new"), 5), T) == RateBucket(0, T, 5)


def test_what_has_run_empty_is_swept_and_what_is_owed_stays() -> None:
    buckets = RateBuckets()
    idle, owing = Limit(CounterKey("key", "idle"), 10), Limit(CounterKey("key", "owing"), 10)
    take(buckets.at(idle, T), 10)
    take(buckets.at(owing, T), 30)
    buckets.sweep(T + MINUTE_MS - 1)
    assert len(buckets) == 2
    buckets.sweep(T + MINUTE_MS)
    assert len(buckets) == 1
    assert buckets.status([idle, owing], T + MINUTE_MS) == [LimitStatus(10, 10, 0), LimitStatus(10, 0, 2 * MINUTE_MS)]


def test_a_clock_set_back_by_a_day_locks_nobody_out_for_a_day() -> None:
    buckets = RateBuckets()
    take(buckets.at(HERE, T), 10)
    now = T - 24 * 60 * MINUTE_MS
    assert not fits(buckets.at(HERE, now), 1)
    buckets.sweep(now)
    assert not fits(buckets.at(HERE, now), 1)
    assert fits(buckets.at(HERE, now + 6_000), 1)

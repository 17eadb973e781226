"""Calls per minute at several levels, and what headers show of them."""

import pytest

from tollhouse.core.failure import RateLimited
from tollhouse.core.limit_status import LimitStatus
from tollhouse.limits.counter_key import CounterKey, Limit
from tollhouse.limits.requests import RequestRate

T = 1_790_000_000_000
ACCOUNT = Limit(CounterKey("account", "acc_a"), 10)
KEY = Limit(CounterKey("key", "key_k"), 4)


def admit(rate: RequestRate, limits: list[Limit], now_ms: int, contact: str = "") -> None:
    rate.take(rate.check(limits, 1, now_ms, contact))


def test_the_tightest_level_binds_and_the_refusal_says_when() -> None:
    rate = RequestRate()
    for _ in range(4):
        admit(rate, [ACCOUNT, KEY], T)
    with pytest.raises(RateLimited) as caught:
        admit(rate, [ACCOUNT, KEY], T, contact="ops@toll.example")
    for said in ("limit of 4 requests per minute", "key key_k", "4 used", "in 15s", "ops@toll.example"):
        assert said in caught.value.message
    assert (caught.value.should_retry, caught.value.retry_after_ms) == (None, 15_000)
    admit(rate, [ACCOUNT, KEY], T + 15_000)


def test_a_refused_call_leaves_no_trace_at_any_level() -> None:
    rate = RequestRate()
    for _ in range(4):
        admit(rate, [ACCOUNT, KEY], T)
    for _ in range(50):
        with pytest.raises(RateLimited):
            admit(rate, [ACCOUNT, KEY], T)
    assert rate.status([ACCOUNT, KEY], T) == [LimitStatus(10, 6, 24_000), LimitStatus(4, 0, 60_000)]


def test_a_limit_of_zero_says_that_waiting_does_not_help() -> None:
    with pytest.raises(RateLimited, match="time alone frees nothing") as caught:
        admit(RequestRate(), [Limit(CounterKey("model", "m"), 0)], T)
    assert (caught.value.should_retry, caught.value.retry_after_ms) == (False, 60_000)


def test_idle_buckets_are_forgotten_and_busy_ones_kept() -> None:
    rate = RequestRate()
    admit(rate, [ACCOUNT], T)
    admit(rate, [KEY], T + 59_000)
    rate.sweep(T + 60_000)
    assert rate.status([ACCOUNT, KEY], T + 60_000)[0].remaining == 10
    assert rate.status([ACCOUNT, KEY], T + 60_000)[1].remaining == 3

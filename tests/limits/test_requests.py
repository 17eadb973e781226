"""Calls per minute at several levels, and what headers show of them."""

import pytest

from tollhouse.core.failure import RateLimited
from tollhouse.limits.level import Limit
from tollhouse.limits.requests import RequestRate
from tollhouse.limits.standing import Standing, spelled, tightest

T = 1_790_000_000_000
ACCOUNT = Limit("account", "acc_a", 10)
KEY = Limit("key", "key_k", 4)


def test_the_tightest_level_binds_and_the_refusal_says_when() -> None:
    rate = RequestRate()
    for _ in range(4):
        rate.admit([ACCOUNT, KEY], T)
    with pytest.raises(RateLimited) as caught:
        rate.admit([ACCOUNT, KEY], T, contact="ops@toll.example")
    for said in ("limit of 4 requests per minute", "key key_k", "4 used", "in 15s", "ops@toll.example"):
        assert said in caught.value.message
    assert caught.value.retry_after_ms == 15_000
    rate.admit([ACCOUNT, KEY], T + 15_000)


def test_a_refused_call_leaves_no_trace_at_any_level() -> None:
    rate = RequestRate()
    for _ in range(4):
        rate.admit([ACCOUNT, KEY], T)
    for _ in range(50):
        with pytest.raises(RateLimited):
            rate.admit([ACCOUNT, KEY], T)
    assert rate.standings([ACCOUNT, KEY], T) == [Standing(10, 6, 24_000), Standing(4, 0, 60_000)]


def test_headers_show_the_level_with_the_least_remaining() -> None:
    rate = RequestRate()
    rate.admit([ACCOUNT, KEY], T)
    assert tightest(rate.standings([ACCOUNT, KEY], T)) == Standing(4, 3, 15_000)
    assert tightest([]) is None


def test_a_limit_of_zero_says_that_waiting_does_not_help() -> None:
    with pytest.raises(RateLimited, match="time alone frees nothing"):
        RequestRate().admit([Limit("model", "m", 0)], T)


def test_idle_buckets_are_forgotten_and_busy_ones_kept() -> None:
    rate = RequestRate()
    rate.admit([ACCOUNT], T)
    rate.admit([KEY], T + 59_000)
    rate.forget_idle(T + 60_000)
    assert rate.standings([ACCOUNT, KEY], T + 60_000)[0].remaining == 10
    assert rate.standings([ACCOUNT, KEY], T + 60_000)[1].remaining == 3


@pytest.mark.parametrize(
    ("duration_ms", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (1, "1ms"),
        (999, "999ms"),
        (1_000, "1s"),
        (1_001, "2s"),
        (59_001, "1m0s"),
        (360_000, "6m0s"),
        (3_600_000, "1h0m0s"),
        (3_630_000, "1h0m30s"),
        (86_400_000, "24h0m0s"),
    ],
)
def test_durations_as_headers_spell_them(duration_ms: int, text: str) -> None:
    assert spelled(duration_ms) == text

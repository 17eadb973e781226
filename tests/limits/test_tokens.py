"""Tokens per minute: a guess is reserved, what was used corrects it, and no more gets in than allowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.failure import RateLimited
from tollhouse.core.limit_status import LimitStatus
from tollhouse.limits.bucket import MINUTE_MS
from tollhouse.limits.counter_key import CounterKey, Limit
from tollhouse.limits.tokens import token_rate
from tollhouse.limits.unit_rate import UnitRate

T = 1_790_000_000_000
ACCOUNT = Limit(CounterKey("account", "acc_a"), 1_000)
KEY = Limit(CounterKey("key", "key_k"), 400)


def admit(rate: UnitRate, limits: list[Limit], tokens: int, now_ms: int, contact: str = "") -> None:
    rate.take(rate.check(limits, tokens, now_ms, contact), tokens)


def remaining(rate: UnitRate, limit: Limit, now_ms: int = T) -> int:
    return rate.status([limit], now_ms)[0].remaining


def test_what_was_reserved_too_much_is_free_again_at_settlement() -> None:
    rate = token_rate()
    admit(rate, [ACCOUNT, KEY], 300, T)
    rate.end([ACCOUNT, KEY], 300, 72, T)
    assert rate.status([ACCOUNT, KEY], T) == [LimitStatus(1_000, 928, 4_320), LimitStatus(400, 328, 10_800)]


def test_what_was_used_beyond_the_guess_is_owed() -> None:
    rate = token_rate()
    admit(rate, [KEY], 10, T)
    rate.end([KEY], 10, 1_200, T)
    assert rate.status([KEY], T) == [LimitStatus(400, 0, 3 * MINUTE_MS)]
    with pytest.raises(RateLimited) as caught:
        admit(rate, [KEY], 10, T)
    assert caught.value.retry_after_ms == 2 * MINUTE_MS + MINUTE_MS // 40
    assert caught.value.should_retry is False  # an SDK that slept so long would look hung
    with pytest.raises(RateLimited):
        admit(rate, [KEY], 0, T)
    admit(rate, [KEY], 10, T + caught.value.retry_after_ms)


def test_a_correction_upward_flows_off_from_when_it_is_made_not_from_before() -> None:
    rate = token_rate()
    admit(rate, [KEY], 0, T)
    rate.end([KEY], 0, 400, T + MINUTE_MS)
    assert remaining(rate, KEY, T + MINUTE_MS) == 0


def test_a_call_larger_than_the_whole_bucket_is_told_so_and_not_to_try_again() -> None:
    rate = token_rate()
    with pytest.raises(RateLimited) as caught:
        admit(rate, [ACCOUNT, KEY], 401, T, contact="ops@toll.example")
    for said in (
        "400 tokens per minute",
        "key key_k",
        "0 used",
        "401 tokens",
        "more than the whole",
        "ops@toll.example",
    ):
        assert said in caught.value.message
    assert caught.value.should_retry is False
    assert remaining(rate, ACCOUNT) == 1_000


def test_a_call_that_does_not_fit_now_is_told_when() -> None:
    rate = token_rate()
    admit(rate, [KEY], 400, T)
    with pytest.raises(
        RateLimited, match="400 used, this call needs 100 tokens; there is room for it in 15s"
    ) as caught:
        admit(rate, [KEY], 100, T)
    assert (caught.value.should_retry, caught.value.retry_after_ms) == (None, 15_000)


def test_a_refused_call_leaves_no_trace_at_any_level() -> None:
    rate = token_rate()
    for _ in range(20):
        with pytest.raises(RateLimited):
            admit(rate, [ACCOUNT, KEY], 500, T)
    assert rate.status([ACCOUNT, KEY], T) == [LimitStatus(1_000, 1_000, 0), LimitStatus(400, 400, 0)]


def test_a_raised_limit_frees_the_difference_at_once() -> None:
    rate = token_rate()
    admit(rate, [KEY], 400, T)
    admit(rate, [Limit(KEY.key, 900)], 500, T)
    with pytest.raises(RateLimited):
        admit(rate, [Limit(KEY.key, 900)], 1, T)


def test_what_has_run_empty_is_swept_also_while_a_call_is_out() -> None:
    rate = token_rate()
    admit(rate, [KEY], 100, T)
    rate.sweep(T + MINUTE_MS)
    rate.end([KEY], 100, 150, T + MINUTE_MS)
    assert remaining(rate, KEY, T + MINUTE_MS) == 350


steps = st.tuples(st.integers(0, 30_000), st.booleans(), st.integers(0, 500), st.integers(0, 600))


@given(st.lists(steps, max_size=60))
def test_no_walk_of_calls_gets_more_than_one_bucket_and_what_flows(walk: list[tuple[int, bool, int, int]]) -> None:
    """At each admission: what was used by the calls that are over, and is reserved by those that are out."""
    rate, now, used, out = token_rate(), T, 0, list[int]()
    for gap, comes, tokens, uses in walk:
        now += gap
        if comes:
            try:
                admit(rate, [KEY], tokens, now)
            except RateLimited:
                continue
            out.append(tokens)
            assert (used + sum(out)) * MINUTE_MS <= KEY.maximum * (MINUTE_MS + now - T)
        elif out:
            reserved = out.pop(0)
            rate.end([KEY], reserved, uses, now)
            used += uses
        assert 0 <= remaining(rate, KEY, now) <= KEY.maximum

"""Calls in flight: exact at every level, all or nothing, and a refusal that says what is the matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.failure import RateLimited
from tollhouse.limits.counter_key import CounterKey, Limit
from tollhouse.limits.parallel import Parallel

ACCOUNT = Limit(CounterKey("account", "acc_a"), 3)
KEY = Limit(CounterKey("key", "key_k"), 2)
OTHER_KEY = Limit(CounterKey("key", "key_l"), 2)


def admit(parallel: Parallel, limits: list[Limit], contact: str | None = None) -> None:
    parallel.check(limits, 1, 0, contact)
    parallel.take(limits)


def test_a_place_is_free_again_when_a_call_ends() -> None:
    parallel = Parallel()
    admit(parallel, [KEY])
    admit(parallel, [KEY])
    with pytest.raises(RateLimited):
        admit(parallel, [KEY])
    parallel.release([KEY])
    admit(parallel, [KEY])
    assert parallel.used(CounterKey("key", "key_k")) == 2


def test_the_refusal_names_limit_level_use_and_contact() -> None:
    parallel = Parallel()
    for _ in range(2):
        admit(parallel, [ACCOUNT, KEY])
    with pytest.raises(RateLimited) as caught:
        admit(parallel, [ACCOUNT, KEY], contact="ops@toll.example")
    for said in ("limit of 2 parallel requests", "key key_k", "2 used", "ends", "ops@toll.example"):
        assert said in caught.value.message
    assert caught.value.retry_after_ms == 1_000
    assert caught.value.should_retry is None
    assert caught.value.code == "rate_limit_exceeded"


def test_where_none_may_be_in_flight_nobody_is_told_to_wait() -> None:
    with pytest.raises(RateLimited) as caught:
        admit(Parallel(), [Limit(CounterKey("account", "acc_a"), 0)])
    assert caught.value.message.endswith("0 used; time alone frees nothing.")
    assert (caught.value.should_retry, caught.value.retry_after_ms) == (False, 60_000)


def test_a_refused_call_leaves_no_trace_at_any_level() -> None:
    parallel = Parallel()
    admit(parallel, [ACCOUNT, KEY])
    admit(parallel, [ACCOUNT, KEY])
    with pytest.raises(RateLimited):
        admit(parallel, [ACCOUNT, KEY])
    assert parallel.used(CounterKey("account", "acc_a")) == 2
    admit(parallel, [ACCOUNT, OTHER_KEY])
    assert parallel.used(CounterKey("account", "acc_a")) == 3


def test_the_tightest_level_binds() -> None:
    parallel = Parallel()
    admit(parallel, [ACCOUNT, KEY])
    admit(parallel, [ACCOUNT, KEY])
    admit(parallel, [ACCOUNT, OTHER_KEY])
    with pytest.raises(RateLimited, match="account acc_a"):
        admit(parallel, [ACCOUNT, OTHER_KEY])


def test_the_same_id_at_two_levels_is_counted_apart() -> None:
    parallel = Parallel()
    admit(parallel, [Limit(CounterKey("account", "x"), 1), Limit(CounterKey("key", "x"), 1)])
    assert parallel.used(CounterKey("account", "x")) == parallel.used(CounterKey("key", "x")) == 1


def test_a_limit_of_zero_lets_nobody_in_and_says_not_to_try_again() -> None:
    with pytest.raises(RateLimited, match="0 used") as caught:
        admit(Parallel(), [Limit(CounterKey("model", "m"), 0)])
    assert caught.value.should_retry is False


def test_releasing_twice_is_a_defect_that_shows() -> None:
    parallel = Parallel()
    admit(parallel, [KEY])
    parallel.release([KEY])
    with pytest.raises(KeyError):
        parallel.release([KEY])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=100))
def test_no_level_is_ever_above_its_limit_and_all_comes_back(walk: list[tuple[bool, int]]) -> None:
    parallel = Parallel()
    running: list[list[Limit]] = []
    keys = [KEY, OTHER_KEY, Limit(CounterKey("key", "key_m"), 3)]
    for comes, which in walk:
        limits = [ACCOUNT, keys[which]]
        if comes:
            fits = len(running) < 3 and sum(each[1] == keys[which] for each in running) < keys[which].maximum
            if fits:
                admit(parallel, limits)
                running.append(limits)
            else:
                with pytest.raises(RateLimited):
                    admit(parallel, limits)
        elif running:
            parallel.release(running.pop())
        assert parallel.used(CounterKey("account", "acc_a")) == len(running)
    for limits in running:
        parallel.release(limits)
    assert parallel.used(CounterKey("account", "acc_a")) == 0

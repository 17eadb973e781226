"""Calls in flight: exact at every level, all or nothing, and a refusal that says what is the matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.failure import RateLimited
from tollhouse.limits.level import Limit
from tollhouse.limits.parallel import Parallel

ACCOUNT = Limit("account", "acc_a", 3)
KEY = Limit("key", "key_k", 2)
OTHER_KEY = Limit("key", "key_l", 2)


def test_a_place_is_free_again_when_a_call_ends() -> None:
    parallel = Parallel()
    parallel.admit([KEY])
    parallel.admit([KEY])
    with pytest.raises(RateLimited):
        parallel.admit([KEY])
    parallel.release([KEY])
    parallel.admit([KEY])
    assert parallel.used("key", "key_k") == 2


def test_the_refusal_names_limit_level_use_and_contact() -> None:
    parallel = Parallel()
    for _ in range(2):
        parallel.admit([ACCOUNT, KEY])
    with pytest.raises(RateLimited) as caught:
        parallel.admit([ACCOUNT, KEY], contact="ops@toll.example")
    for said in ("limit of 2 parallel requests", "key key_k", "2 used", "ends", "ops@toll.example"):
        assert said in caught.value.message
    assert caught.value.retry_after_ms == 1_000
    assert caught.value.code == "rate_limit_exceeded"


def test_a_refused_call_leaves_no_trace_at_any_level() -> None:
    parallel = Parallel()
    parallel.admit([ACCOUNT, KEY])
    parallel.admit([ACCOUNT, KEY])
    with pytest.raises(RateLimited):
        parallel.admit([ACCOUNT, KEY])
    assert parallel.used("account", "acc_a") == 2
    parallel.admit([ACCOUNT, OTHER_KEY])
    assert parallel.used("account", "acc_a") == 3


def test_the_tightest_level_binds() -> None:
    parallel = Parallel()
    parallel.admit([ACCOUNT, KEY])
    parallel.admit([ACCOUNT, KEY])
    parallel.admit([ACCOUNT, OTHER_KEY])
    with pytest.raises(RateLimited, match="account acc_a"):
        parallel.admit([ACCOUNT, OTHER_KEY])


def test_the_same_id_at_two_levels_is_counted_apart() -> None:
    parallel = Parallel()
    parallel.admit([Limit("account", "x", 1), Limit("key", "x", 1)])
    assert parallel.used("account", "x") == parallel.used("key", "x") == 1


def test_a_limit_of_zero_lets_nobody_in() -> None:
    with pytest.raises(RateLimited, match="0 used"):
        Parallel().admit([Limit("model", "m", 0)])


def test_releasing_twice_is_a_defect_that_shows() -> None:
    parallel = Parallel()
    parallel.admit([KEY])
    parallel.release([KEY])
    with pytest.raises(KeyError):
        parallel.release([KEY])


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), max_size=100))
def test_no_level_is_ever_above_its_limit_and_all_comes_back(walk: list[tuple[bool, int]]) -> None:
    parallel = Parallel()
    running: list[list[Limit]] = []
    keys = [KEY, OTHER_KEY, Limit("key", "key_m", 3)]
    for comes, which in walk:
        limits = [ACCOUNT, keys[which]]
        if comes:
            fits = len(running) < 3 and sum(each[1] == keys[which] for each in running) < keys[which].most
            if fits:
                parallel.admit(limits)
                running.append(limits)
            else:
                with pytest.raises(RateLimited):
                    parallel.admit(limits)
        elif running:
            parallel.release(running.pop())
        assert parallel.used("account", "acc_a") == len(running)
    for limits in running:
        parallel.release(limits)
    assert parallel.used("account", "acc_a") == 0

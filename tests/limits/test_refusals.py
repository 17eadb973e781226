"""G2: refused calls are free, and have a limit of their own by what they make this platform read."""

import pytest

from tests.gateway.fakes import NOW_MS, identity
from tollhouse.core.account import ApiKey
from tollhouse.core.failure import RateLimited
from tollhouse.limits.refusals import KIB_OF_ACCOUNT, KIB_OF_CALL, KIB_OF_KEY, Refusals

MIB = 1024 * 1024


def key(name: str = "1") -> ApiKey:
    return identity("sk-th-live-" + name * 49, id=f"key_{name}").key


def test_a_caller_that_was_never_refused_costs_no_look_up() -> None:
    refusals = Refusals()
    refusals.admit(key(), NOW_MS)
    assert not refusals.any


def test_large_refused_bodies_use_up_the_limit_and_it_flows_off() -> None:
    refusals, mine = Refusals(), key()
    refusals.count(mine, 32 * MIB, NOW_MS)
    refusals.admit(mine, NOW_MS)
    refusals.count(mine, 32 * MIB, NOW_MS)
    with pytest.raises(RateLimited, match="refused requests per minute of the key key_1") as caught:
        refusals.admit(mine, NOW_MS)
    assert caught.value.retry_after_ms == 1
    refusals.count(mine, 32 * MIB, NOW_MS)
    with pytest.raises(RateLimited) as caught:
        refusals.admit(mine, NOW_MS)
    assert caught.value.retry_after_ms == 30_001
    refusals.admit(mine, NOW_MS + 30_001)


def test_small_refused_calls_are_many_before_they_count() -> None:
    refusals, mine = Refusals(), key()
    for _ in range(KIB_OF_KEY // KIB_OF_CALL):
        refusals.admit(mine, NOW_MS)
        refusals.count(mine, 0, NOW_MS)
    with pytest.raises(RateLimited):
        refusals.admit(mine, NOW_MS)


def test_siblings_are_served_until_the_account_has_used_up_its_own_limit() -> None:
    refusals = Refusals()
    for name in "1234":
        refusals.count(key(name), KIB_OF_KEY * 1024, NOW_MS)
        refusals.admit(key("9"), NOW_MS) if name != "4" else None
    with pytest.raises(RateLimited, match="of the account acc_1"):
        refusals.admit(key("9"), NOW_MS)
    assert KIB_OF_ACCOUNT == 4 * KIB_OF_KEY


def test_what_has_flowed_off_is_forgotten() -> None:
    refusals = Refusals()
    refusals.count(key(), 10, NOW_MS)
    refusals.sweep(NOW_MS + 60_000)
    assert not refusals.any

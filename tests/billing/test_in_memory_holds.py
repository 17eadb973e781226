"""Holds in memory keep the promises of the port without waiting."""

import pytest

from tests.limits.at_once import at_once
from tollhouse.billing.holds import InsufficientFunds
from tollhouse.billing.in_memory_holds import InMemoryHolds
from tollhouse.core.account import ApiKey

KEY = ApiKey(id="key_k", account_id="acc_a", project_id="proj_p", name="k", created_at_ms=0)


def test_what_is_held_is_settled_or_released() -> None:
    held = InMemoryHolds()
    money = held.counters.put_money("acc_a", 100)
    counters = at_once(held.paying(KEY, 0))
    assert counters == [money]
    first, second = at_once(held.hold(counters, 60)), at_once(held.hold(counters, 40))
    with pytest.raises(InsufficientFunds):
        at_once(held.hold(counters, 1))
    at_once(held.settle(first, 25))
    assert (money.spent, money.held, money.left()) == (25, 40, 35)
    at_once(held.release(second))
    assert (money.spent, money.held, money.left()) == (25, 0, 75)

"""Budgets: on whom, for which calls, until when; and thresholds that are told once, however they were reached."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.billing.budgets import BadBudget, Budget, matches, read_soft, thresholds_due
from tollhouse.billing.windows import BadZone, Window
from tollhouse.core.account import ApiKey

USD = 10**9
T = 1_790_000_000_000
KEY = ApiKey(id="key_k", account_id="acc_a", project_id="proj_p", name="k", created_at_ms=0)


def budget(**more: Any) -> Budget:
    given: dict[str, Any] = {
        "id": "bud_1",
        "account_id": "acc_a",
        "level": "account",
        "object_id": "acc_a",
        "amount": 100 * USD,
        "kind": "day",
        "created_at_ms": 5,
    }
    return Budget(**given | more)


@pytest.mark.parametrize(
    ("more", "covers"),
    [
        ({}, True),
        ({"object_id": "acc_b"}, False),
        ({"level": "project", "object_id": "proj_p"}, True),
        ({"level": "project", "object_id": "acc_a"}, False),
        ({"level": "key", "object_id": "key_k"}, True),
        ({"level": "key", "object_id": "proj_p"}, False),
        ({"model": "gpt-4o"}, True),
        ({"model": "gpt-*"}, True),
        ({"model": "gpt-4"}, False),
        ({"model": "GPT-4o"}, False),
    ],
)
def test_which_calls_count(more: dict[str, Any], covers: bool) -> None:
    assert budget(**more).covers(KEY, "gpt-4o") is covers


def test_a_pattern_is_a_name_or_the_beginning_of_one() -> None:
    assert matches("a*b", "a*b")
    assert not matches("a*b", "axb")
    assert matches("openai/*", "openai/gpt-4o")
    assert not matches("openai/*", "openai")


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"amount": -1}, "amount"),
        ({"model": ""}, "model"),
        ({"model": "*"}, "model"),
        ({"soft": (80, 50)}, "soft"),
        ({"soft": (50, 50)}, "soft"),
        ({"soft": (0,)}, "soft"),
        ({"soft": (101,)}, "soft"),
    ],
)
def test_a_budget_of_minus_seven_is_not_made(more: dict[str, Any], field: str) -> None:
    with pytest.raises(BadBudget) as caught:
        budget(**more)
    assert caught.value.field == field


def test_thresholds_as_people_write_them() -> None:
    assert read_soft([100, 50, 80, 50, 1]) == [1, 50, 80, 100]
    assert read_soft([]) == []
    bad: tuple[Any, ...] = (0, 101, -5, True, "50", 50.0, None)
    for percent in bad:
        with pytest.raises(BadBudget, match="1 to 100"):
            read_soft([percent])


def test_its_window_is_that_of_its_kind_and_zone() -> None:
    assert budget(kind="total").window(T) == Window(5, None)
    assert budget(zone="Asia/Tokyo").window(0) == Window(-9 * 3_600_000, 15 * 3_600_000)
    with pytest.raises(BadZone):
        budget(zone="Nowhere").window(T)


def test_setting_a_budget_anew_replaces_the_one_of_its_object_window_and_model() -> None:
    assert budget().replaces(budget(id="bud_2", amount=1, zone="Asia/Tokyo", soft=(5,)))
    for more in ({"kind": "week"}, {"model": "m"}, {"system": True}, {"level": "key"}, {"object_id": "acc_b"}):
        assert not budget().replaces(budget(**more))


def test_a_threshold_is_reached_at_exactly_its_percentage() -> None:
    one = budget(soft=(80,))
    assert one.threshold(80) == 80 * USD
    assert thresholds_due(one, 80 * USD - 1) == ()
    assert thresholds_due(one, 80 * USD) == (80,)
    odd = budget(amount=3, soft=(50,))
    assert odd.threshold(50) == 2
    assert [thresholds_due(odd, spent) for spent in (1, 2)] == [(), (50,)]


def test_a_jump_from_40_to_100_percent_tells_each_threshold_and_each_once() -> None:
    """Twenty parallel calls, charged one after the other in one transaction each."""
    one, told, spent = budget(soft=(50, 80, 100)), list[int](), 40 * USD
    for _ in range(20):
        spent += 3 * USD
        told += thresholds_due(one, spent, told)
    assert told == [50, 80, 100]
    assert thresholds_due(one, 100 * USD, ()) == (50, 80, 100)  # the next window begins to tell anew


def test_a_refund_that_takes_a_counter_back_does_not_tell_again() -> None:
    one = budget(soft=(50,))
    assert thresholds_due(one, 60 * USD) == (50,)
    assert thresholds_due(one, 40 * USD, (50,)) == ()
    assert thresholds_due(one, 60 * USD, (50,)) == ()


def test_a_budget_of_nothing_tells_when_something_was_spent_all_the_same() -> None:
    nothing = budget(amount=0, soft=(50, 100))
    assert thresholds_due(nothing, 0) == ()
    assert thresholds_due(nothing, 1) == (50, 100)


@given(st.integers(0, 10**12), st.sets(st.integers(1, 100)), st.lists(st.integers(0, 10**11), max_size=30))
def test_whatever_the_steps_each_threshold_that_was_reached_is_told_once(
    amount: int, soft: set[int], steps: list[int]
) -> None:
    one, told, spent = budget(amount=amount, soft=tuple(sorted(soft))), list[int](), 0
    for step in steps:
        spent += step
        told += thresholds_due(one, spent, told)
    assert told == sorted(percent for percent in soft if spent and spent * 100 >= amount * percent)
    assert all(spent >= one.threshold(percent) for percent in told)

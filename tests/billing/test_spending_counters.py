"""Which counters pay for a call: budgets of every level in their present windows, and the account's money."""

from typing import Any

import pytest

from tollhouse.billing.budgets import Budget
from tollhouse.billing.holds import Hold, InsufficientFunds, hold, settle
from tollhouse.billing.spending_counters import SpendingCounters
from tollhouse.billing.windows import BadZone
from tollhouse.core.account import ApiKey
from tollhouse.core.counter import BudgetCounter

DAY_MS = 86_400_000
T = 20_000 * DAY_MS
KEY = ApiKey(id="key_k", account_id="acc_a", project_id="proj_p", name="k", created_at_ms=0)
OTHER = ApiKey(id="key_o", account_id="acc_a", project_id="proj_o", name="o", created_at_ms=0)


def budget(budget_id: str = "bud_1", **more: Any) -> Budget:
    given: dict[str, Any] = {
        "id": budget_id,
        "account_id": "acc_a",
        "level": "account",
        "object_id": "acc_a",
        "amount": 100,
        "kind": "day",
        "created_at_ms": 5,
    }
    return Budget(**given | more)


def ids(counters: SpendingCounters, key: ApiKey = KEY, model: str | None = "house-1") -> list[str]:
    return [counter.id for counter in counters.of(key, T, model)]


def test_budgets_of_key_project_and_account_and_the_money_pay_at_once() -> None:
    counters = SpendingCounters()
    counters.put_money("acc_a", 50)
    counters.put_budget(budget("bud_account"), T)
    counters.put_budget(budget("bud_key", level="key", object_id="key_k"), T)
    counters.put_budget(budget("bud_project", level="project", object_id="proj_p", kind="month"), T)
    counters.put_budget(budget("bud_elsewhere", object_id="acc_b"), T)
    assert ids(counters) == ["bud_key", "bud_project", "bud_account", "acc_a"]
    assert ids(counters, OTHER) == ["bud_account", "acc_a"]
    assert [one.id for one in counters.budgets(KEY)] == ["bud_key", "bud_project", "bud_account"]


def test_a_budget_for_a_model_pays_for_it_alone_and_binds_no_balance() -> None:
    counters = SpendingCounters()
    counters.put_budget(budget("bud_model", model="house-*"), T)
    assert ids(counters, model="house-1") == ["bud_model", "acc_a"]
    assert ids(counters, model="gpt-5") == ids(counters, model=None) == ["acc_a"]
    counters.put_budget(budget("bud_all"), T)
    assert ids(counters, model=None) == ["bud_all", "acc_a"]


def test_the_counters_of_all_budgets_over_a_key_stand_in_their_present_windows() -> None:
    counters = SpendingCounters()
    counters.put_budget(budget("bud_model", model="house-*"), T, 7)
    counters.put_budget(budget("bud_key", level="key", object_id="key_k", kind="total"), T)
    counters.put_budget(budget("bud_other", level="key", object_id="key_o"), T)
    standing = counters.standing(KEY, T)
    assert [(counter.id, counter.spent) for counter in standing] == [("bud_key", 0), ("bud_model", 7)]
    tomorrow = counters.standing(KEY, T + DAY_MS)
    assert [(counter.id, counter.spent) for counter in tomorrow] == [("bud_key", 0), ("bud_model", 0)]


def test_one_budget_is_found_in_its_present_window_while_it_binds() -> None:
    counters = SpendingCounters()
    one = counters.put_budget(budget(), T, 7)
    assert counters.present("bud_1", T) is one
    tomorrow = counters.present("bud_1", T + DAY_MS)
    assert tomorrow is not None
    assert (tomorrow.spent, tomorrow.starts_at_ms) == (0, T + DAY_MS)
    counters.remove_budget("bud_1")
    assert counters.present("bud_1", T) is None


def test_an_account_nobody_knows_has_no_money() -> None:
    counters = SpendingCounters()
    with pytest.raises(InsufficientFunds):
        hold(counters.of(KEY, T, "house-1"), 1)
    assert counters.money("acc_a") is counters.money("acc_a")


def test_a_counter_says_what_it_is() -> None:
    counter = SpendingCounters().put_budget(
        budget(soft=(50,), model="m", system=True, level="key", object_id="key_k"), T, 7
    )
    assert (counter.id, counter.limit, counter.spent, counter.kind, counter.window) == (
        "bud_1",
        100,
        7,
        "budget",
        "day",
    )
    assert (counter.level, counter.object_id, counter.model, counter.soft, counter.system) == (
        "key",
        "key_k",
        "m",
        (50,),
        True,
    )
    assert (counter.starts_at_ms, counter.resets_at_ms) == (T, T + DAY_MS)
    money = SpendingCounters().put_money("acc_a", 5, 3)
    assert (money.kind, money.level, money.object_id, money.spent, money.limit) == ("money", "account", "acc_a", 3, 5)


def test_a_thousand_calls_at_once_over_three_levels_get_in_as_often_as_the_tightest_pays() -> None:
    """Half of the calls by another key of another project: each level has its own count, and none is passed."""
    counters = SpendingCounters()
    money = counters.put_money("acc_a", 130)
    key = counters.put_budget(budget("bud_key", level="key", object_id="key_k", amount=70), T)
    project = counters.put_budget(budget("bud_project", level="project", object_id="proj_o", amount=55), T)
    account = counters.put_budget(budget("bud_account", amount=111), T)
    inside, open_holds = {"key_k": 0, "key_o": 0}, list[Hold]()
    for number in range(1_000):
        caller = (KEY, OTHER)[number % 2]
        try:
            open_holds.append(hold(counters.of(caller, T, "house-1"), 10))
            inside[caller.id] += 1
        except InsufficientFunds:
            pass
        for counter in (money, key, project, account):
            assert counter.spent - counter.overrun + counter.held <= (counter.limit or 0)
    assert inside == {"key_k": 6, "key_o": 5}
    for held in open_holds:
        settle(held, 10)
    assert [counter.spent for counter in (key, project, account, money)] == [60, 50, 110, 110]


def test_a_new_window_begins_with_nothing_and_holds_of_the_old_one_end_there() -> None:
    counters = SpendingCounters()
    counters.put_money("acc_a", None)
    old = counters.put_budget(budget(), T, 60)
    held = hold(counters.of(KEY, T + DAY_MS - 1, "house-1"), 40)
    with pytest.raises(InsufficientFunds):
        hold(counters.of(KEY, T + DAY_MS - 1, "house-1"), 1)
    new = counters.of(KEY, T + DAY_MS, "house-1")[0]
    assert (new.spent, new.held, new.starts_at_ms) == (0, 0, T + DAY_MS)
    settle(held, 40)
    assert (old.spent, new.spent) == (100, 0)


def test_a_clock_that_steps_back_over_midnight_finds_what_was_spent_there() -> None:
    counters = SpendingCounters()
    counters.put_money("acc_a", None)
    counters.put_budget(budget(), T, 60)
    settle(hold(counters.of(KEY, T + DAY_MS, "house-1"), 10), 10)
    assert counters.of(KEY, T, "house-1")[0].spent == 60
    assert counters.of(KEY, T + DAY_MS, "house-1")[0].spent == 10


def test_only_the_last_windows_are_kept_and_never_the_present_one_dropped() -> None:
    counters = SpendingCounters()
    first = counters.put_budget(budget(), T, 60)
    for day in range(1, 4):
        counters.of(KEY, T + day * DAY_MS)
    assert counters.of(KEY, T)[0] is not first
    assert counters.of(KEY, T - 9 * DAY_MS)[0].starts_at_ms == T - 9 * DAY_MS
    assert counters.of(KEY, T + 3 * DAY_MS)[0].starts_at_ms == T + 3 * DAY_MS


def test_a_window_is_kept_for_as_long_as_a_call_is_held_there() -> None:
    counters = SpendingCounters()
    counters.put_money("acc_a", None)
    old = counters.put_budget(budget(), T)
    held = hold(counters.of(KEY, T, "house-1"), 40)
    for day in range(1, 9):
        counters.of(KEY, T + day * DAY_MS)
    settle(held, 30)
    assert counters.of(KEY, T)[0] is old
    assert (old.spent, old.held) == (30, 0)


def test_windows_to_come_are_kept_however_many_there_are() -> None:
    """The clock was ahead, and what was spent then counts when its day is there."""
    counters = SpendingCounters()
    counters.put_budget(budget(), T)
    for day in (3, 4, 5):
        counters.of(KEY, T + day * DAY_MS)[0].spent = day
    for day in (0, 1, 2):
        counters.of(KEY, T + day * DAY_MS)
    assert [counters.of(KEY, T + day * DAY_MS)[0].spent for day in (3, 4, 5)] == [3, 4, 5]


def test_what_windows_had_spent_is_recalled() -> None:
    counters = SpendingCounters()
    counters.put_budget(budget(), T)
    for day in (-1, 0, 2):
        counters.recall(
            BudgetCounter(budget_id="bud_1", starts_at_ms=T + day * DAY_MS, spent=10 + day, overrun=2 + day)
        )
    counters.recall(BudgetCounter(budget_id="bud_1", starts_at_ms=T + 1, spent=99))  # no window begins here any more
    counters.recall(BudgetCounter(budget_id="bud_gone", starts_at_ms=T, spent=99))
    found = [counters.of(KEY, T + day * DAY_MS)[0] for day in (-1, 0, 1, 2)]
    assert [(one.spent, one.overrun, one.limit) for one in found] == [
        (9, 1, 100),
        (10, 2, 100),
        (0, 0, 100),
        (12, 4, 100),
    ]


def test_a_total_budget_has_one_window() -> None:
    counters = SpendingCounters()
    one = counters.put_budget(budget(kind="total"), T, 3)
    assert (one.starts_at_ms, one.resets_at_ms) == (5, None)
    assert counters.of(KEY, T + 10**6 * DAY_MS)[0] is one


def test_a_budget_that_is_edited_goes_on_with_what_it_has_spent_and_holds() -> None:
    counters = SpendingCounters()
    counters.put_money("acc_a", None)
    one = counters.put_budget(budget(), T, 60)
    held = hold(counters.of(KEY, T, "house-1"), 40)
    edited = counters.put_budget(budget(amount=150, soft=(9,), system=True, model="house-1"), T, 0)
    assert edited is one
    assert (one.limit, one.spent, one.held, one.soft, one.system, one.model) == (150, 60, 40, (9,), True, "house-1")
    settle(held, 10)
    assert counters.of(KEY, T, "house-1")[0].left() == 80
    assert ids(counters).count("bud_1") == 1


def test_another_kind_of_window_or_zone_begins_with_what_the_store_says() -> None:
    counters = SpendingCounters()
    one = counters.put_budget(budget(), T, 60)
    monthly = counters.put_budget(budget(kind="month"), T, 70)
    assert monthly is not one
    assert monthly.spent == 70
    assert counters.put_budget(budget(kind="month", zone="Asia/Tokyo"), T, 5).spent == 5


def test_a_total_budget_has_no_days_and_goes_on_in_another_zone() -> None:
    """What calls in flight hold must not be forgotten because somebody named another zone."""
    counters = SpendingCounters()
    counters.put_money("acc_a", None)
    one = counters.put_budget(budget(kind="total"), T)
    held = hold(counters.of(KEY, T, "house-1"), 60)
    assert counters.put_budget(budget(kind="total", zone="Asia/Tokyo"), T) is one
    settle(held, 60)
    assert one.left() == 40


def test_a_budget_in_a_zone_that_is_none_is_not_put() -> None:
    counters = SpendingCounters()
    with pytest.raises(BadZone):
        counters.put_budget(budget(zone="Nowhere"), T)
    assert ids(counters) == ["acc_a"]
    counters.put_budget(budget(), T)
    with pytest.raises(BadZone):
        counters.put_budget(budget(zone="Nowhere"), T)
    assert ids(counters) == ["bud_1", "acc_a"]


def test_a_budget_that_is_removed_binds_no_more_and_open_holds_end_as_they_would() -> None:
    counters = SpendingCounters()
    money = counters.put_money("acc_a", 1_000)
    one = counters.put_budget(budget(), T)
    held = hold(counters.of(KEY, T, "house-1"), 100)
    counters.remove_budget("bud_1")
    counters.remove_budget("bud_1")
    assert ids(counters) == ["acc_a"]
    settle(held, 70)
    assert (one.spent, money.spent) == (70, 70)


def test_money_that_comes_in_raises_the_limit_and_keeps_what_is_held() -> None:
    counters = SpendingCounters()
    money = counters.put_money("acc_a", 100, 30)
    hold([money], 50)
    assert counters.put_money("acc_a", 120, 0) is money
    assert (money.limit, money.spent, money.held, money.left()) == (120, 30, 50, 40)
    assert counters.put_money("acc_a", None).left() is None


def test_a_budget_of_another_kind_is_another_counter_also_where_the_windows_begin_together() -> None:
    counters = SpendingCounters()
    monthly = counters.put_budget(budget(kind="month"), T, 70)
    daily = counters.put_budget(budget(kind="day"), monthly.starts_at_ms, 5)
    assert daily is not monthly
    assert (daily.starts_at_ms, daily.spent) == (monthly.starts_at_ms, 5)

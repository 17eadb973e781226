"""The book of holds: however parallel, what is let in is paid for; every hold ends once; a refusal says what to do."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tollhouse.billing.holds import Hold, InsufficientFunds, SpendingCounter, hold, refusal, release, settle, tightest
from tollhouse.billing.spending_counters import SpendingCounters
from tollhouse.core.amount import MOST

USD = 10**9


def counter(limit: int | None, **more: Any) -> SpendingCounter:
    return SpendingCounter(id=more.pop("id", "bud_1"), limit=limit, **more)


def kept(one: SpendingCounter) -> bool:
    return one.limit is None or one.spent - one.overrun + one.held <= one.limit


@pytest.mark.parametrize("seed", range(5))
def test_two_hundred_at_once_on_a_budget_for_seven_are_seven(seed: int) -> None:
    """Budgets passed by eight parallel calls, 5,000 spent of 1,000: check first and deduct later is what did it."""
    draw = random.Random(seed)
    one, cost, inside, refused, open_holds = counter(7 * 1_234_567), 1_234_567, 0, 0, list[Hold]()
    for _ in range(200):
        try:
            open_holds.append(hold([one], cost))
            inside += 1
        except InsufficientFunds:
            refused += 1
        assert kept(one)
        if open_holds and draw.random() < 0.3:
            settle(open_holds.pop(draw.randrange(len(open_holds))), cost)
            assert kept(one)
    for held in open_holds:
        settle(held, cost)
    assert (inside, refused) == (7, 193)
    assert (one.spent, one.held, one.overrun) == (7 * cost, 0, 0)


def test_all_counters_pay_or_none() -> None:
    key, account = counter(10, id="bud_key"), counter(5, id="bud_account")
    with pytest.raises(InsufficientFunds) as caught:
        hold([key, account], 6)
    assert caught.value.counter is account
    assert (key.held, account.held) == (0, 0)
    held = hold([key, account], 5)
    assert (key.left(), account.left()) == (5, 0)
    settle(held, 3)
    assert (key.spent, account.spent, key.held, account.held) == (3, 3, 0, 0)


def test_the_counter_with_the_least_left_is_named() -> None:
    wide, tight, free = counter(5, id="wide"), counter(3, id="tight"), counter(None, id="free")
    with pytest.raises(InsufficientFunds) as caught:
        hold([wide, free, tight], 6)
    assert (caught.value.counter.id, caught.value.amount) == ("tight", 6)
    with pytest.raises(InsufficientFunds) as caught:
        hold([counter(1, id="one"), counter(9, spent=9, id="none")], 2)
    assert caught.value.counter.id == str(caught.value) == "none"
    assert tightest([wide, free, tight]) == tightest([tight, wide]) == 3
    assert tightest([free]) is tightest([]) is None


def test_what_is_left_over_is_free_again_and_what_is_beyond_is_overrun() -> None:
    one = counter(100)
    assert settle(hold([one], 40), 10) == 0
    assert (one.spent, one.left(), one.overrun) == (10, 90, 0)
    assert settle(hold([one], 90), 120) == 30
    assert (one.spent, one.overrun, one.left()) == (130, 30, 0)
    assert kept(one)
    with pytest.raises(InsufficientFunds):
        hold([one], 1)


def test_a_released_hold_costs_nothing() -> None:
    one = counter(100)
    release(hold([one], 100))
    assert (one.spent, one.held, one.left()) == (0, 0, 100)


def test_a_hold_ends_exactly_once() -> None:
    one = counter(100)
    held = hold([one], 40)
    settle(held, 10)
    for end in (lambda: settle(held, 10), lambda: release(held)):
        with pytest.raises(AssertionError, match="exactly once"):
            end()
    assert (one.spent, one.held) == (10, 0)


def test_nothing_below_zero_is_held_or_charged() -> None:
    one = counter(100)
    with pytest.raises(ValueError, match="hold"):
        hold([one], -1)
    held = hold([one], 50)
    with pytest.raises(ValueError, match="charge"):
        settle(held, -1)
    assert (held.open, one.held, one.spent) == (True, 50, 0)


def test_a_counter_pays_once_for_a_call() -> None:
    one = counter(100)
    with pytest.raises(ValueError, match="once"):
        hold([one, one], 10)
    hold([one, counter(100)], 10)
    assert one.held == 10


def test_a_budget_of_zero_refuses_everything_also_what_is_free() -> None:
    with pytest.raises(InsufficientFunds):
        hold([counter(0)], 0)
    with pytest.raises(InsufficientFunds):
        hold([counter(0)], 1)


def test_a_free_call_needs_no_money_but_a_paid_one_does() -> None:
    money = counter(0, kind="money")
    settle(hold([money, counter(5, spent=5)], 0), 0)
    with pytest.raises(InsufficientFunds):
        hold([money], 1)


def test_a_limit_lowered_below_what_is_spent_lets_nothing_in() -> None:
    one = counter(100, spent=60)
    one.limit = 50
    assert one.left() == 0
    with pytest.raises(InsufficientFunds):
        hold([one], 1)
    one.limit = 61
    hold([one], 1)


def test_without_a_limit_everything_is_let_in_and_counted() -> None:
    one = counter(None, kind="money")
    settle(hold([one], 10**15), 10**15)
    assert (one.spent, one.left()) == (10**15, None)


def test_the_refusal_names_budget_limit_use_reset_and_who_can_raise_it() -> None:
    one = counter(5 * USD, spent=4 * USD, held=USD, window="month", level="key", object_id="key_k", resets_at_ms=9_000)
    failure = refusal(InsufficientFunds(one, USD // 2), 4_000, "2026-10-01T00:00:00Z")
    assert failure.message == (
        "The month budget of 5 USD on the key key_k is used up: 4 USD used, 1 USD held for calls in flight; "
        "this call may cost 0.5 USD. It begins anew at 2026-10-01T00:00:00Z. "
        "To raise it, ask an owner or admin of the account."
    )
    assert (failure.code, failure.retry_after_ms, failure.should_retry) == ("insufficient_quota", 5_000, False)
    assert refusal(InsufficientFunds(one, 1), 10_000, None).retry_after_ms == 0


def test_the_refusal_of_the_operators_budget_names_the_operator() -> None:
    one = counter(5 * USD, system=True, window="month", object_id="acc_a", model="gpt-*")
    said = refusal(InsufficientFunds(one, 1), 0, None, "ops@toll.example").message
    assert "budget of 5 USD for gpt-* on the account acc_a that the operator set is not enough for this call" in said
    assert "Send less, or name a smaller output cap." in said
    assert said.endswith("To raise it, ask ops@toll.example.")
    assert refusal(InsufficientFunds(one, 1), 0, None).message.endswith(
        "To raise it, ask the operator of this platform."
    )
    mine = refusal(InsufficientFunds(counter(1), 1), 0, None, "ops@toll.example").message
    assert mine.endswith("To raise it, ask an owner or admin of the account.")


def test_the_refusal_for_want_of_money_says_what_is_left_and_names_no_instant() -> None:
    money = counter(3 * USD, spent=2 * USD, kind="money", object_id="acc_a")
    failure = refusal(InsufficientFunds(money, 2 * USD), 0, None, "ops@toll.example")
    assert failure.message == (
        "The money of the account acc_a is not enough for this call: 1 USD left, 2 USD used, "
        "0 USD held for calls in flight; this call may cost 2 USD. Send less, or name a smaller output cap. "
        "To add money, ask ops@toll.example."
    )
    assert failure.retry_after_ms is None
    money.spent += USD
    assert "is used up: 0 USD left, 3 USD used" in refusal(InsufficientFunds(money, 1), 0, None).message
    assert refusal(InsufficientFunds(money, 1), 0, None).message.endswith(
        "0.000000001 USD. To add money, ask the operator of this platform."
    )
    assert "0 USD on" in refusal(InsufficientFunds(counter(None), 1), 0, None).message
    money.spent -= 1
    last = refusal(InsufficientFunds(money, 2), 0, None).message
    assert "is not enough for this call: 0.000000001 USD left" in last
    assert "Send less" in last


def test_who_has_spent_all_that_can_be_counted_is_told_what_helps() -> None:
    endless = counter(None, spent=MOST, kind="money", object_id="acc_a")
    said = refusal(InsufficientFunds(endless, 1), 0, None).message
    assert said.startswith("The account acc_a has spent all that this platform counts: ")
    assert said.endswith(" It needs a new account.")
    assert refusal(InsufficientFunds(endless, 1), 0, None, "ops@toll.example").message.endswith(
        " Ask ops@toll.example."
    )


amounts = st.integers(0, 50)


class HoldMachine(RuleBasedStateMachine):
    """Calls come and go in any order over three levels of counters; limits move; a slow obvious model keeps count."""

    def __init__(self) -> None:
        super().__init__()
        self.counters = [
            counter(120, id="account"),
            counter(60, id="project"),
            counter(30, id="key"),
            counter(None, id="free"),
        ]
        self.open: list[tuple[Hold, list[int], int]] = []
        self.spent = [0, 0, 0, 0]
        self.lowered = [0, 0, 0, 0]  # by how much a limit was set below what stood against it

    @rule(amount=amounts, which=st.sets(st.integers(0, 3), min_size=1))
    def comes(self, amount: int, which: set[int]) -> None:
        places = sorted(which)
        before = [(one.spent, one.held, one.overrun) for one in self.counters]
        fits = all(
            (limit := self.counters[place].limit) is None
            or (limit > 0 and (amount == 0 or self.spent[place] + self._held(place) + amount <= limit))
            for place in places
        )
        try:
            self.open.append((hold([self.counters[place] for place in places], amount), places, amount))
        except InsufficientFunds:
            assert not fits
            assert before == [(one.spent, one.held, one.overrun) for one in self.counters]
        else:
            assert fits

    @precondition(lambda self: self.open)
    @rule(data=st.data(), charge=st.integers(0, 70))
    def is_charged(self, data: st.DataObject, charge: int) -> None:
        held, places, amount = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        assert settle(held, charge) == max(0, charge - amount)
        for place in places:
            self.spent[place] += charge

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def fails(self, data: st.DataObject) -> None:
        held, _, _ = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        release(held)

    @rule(place=st.integers(0, 2), limit=st.integers(0, 200))
    def limit_moves(self, place: int, limit: int) -> None:
        one = self.counters[place]
        one.limit = limit
        self.lowered[place] = max(0, one.spent - one.overrun + one.held - limit)

    @invariant()
    def is_never_overdrawn(self) -> None:
        for place, one in enumerate(self.counters):
            assert one.held == self._held(place) >= 0
            assert one.spent == self.spent[place] >= one.overrun >= 0
            if one.limit is not None:
                assert one.spent - one.overrun + one.held <= one.limit + self.lowered[place]

    def _held(self, place: int) -> int:
        return sum(amount for _, places, amount in self.open if place in places)


TestBank = HoldMachine.TestCase


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), max_size=60))
def test_the_order_of_endings_never_changes_what_was_spent(calls: list[tuple[int, int]]) -> None:
    sums = set()
    for backwards in (False, True):
        counters = SpendingCounters()
        money = counters.put_money("acc_a", None)
        held = [hold([money], 10) for _ in calls]
        pairs = list(zip(held, calls, strict=True))
        for one, (how, charge) in reversed(pairs) if backwards else pairs:
            if how:
                settle(one, charge)
            else:
                release(one)
        sums.add((money.spent, money.held, money.overrun))
    assert len(sums) == 1


@pytest.mark.parametrize("limit", [None, 2 * MOST], ids=["unlimited", "more than can be counted"])
def test_no_counter_pays_more_than_a_database_can_count(limit: int | None) -> None:
    """Beyond 2^63 a charge could not be written: its call was answered all the same, and free if it was streamed."""
    one = counter(limit, kind="money", object_id="acc_1", spent=MOST - 10, held=4)
    held = hold([one], 6)
    with pytest.raises(InsufficientFunds) as caught:
        hold([one], 1)
    said = refusal(caught.value, 0, None, "ops@example.com").message
    assert ("all that this platform counts" in said) is (limit is None)
    release(held)
    hold([one], 1)


def test_the_refusal_of_a_call_whose_cost_is_not_known_yet_names_none() -> None:
    one = counter(5 * USD, window="month", object_id="acc_a")
    assert "; every call costs something." in refusal(InsufficientFunds(one, None), 0, None).message

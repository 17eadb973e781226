"""When another attempt is allowed, and that the whole process never multiplies an outage."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.catalogue import Model, Offer
from tollhouse.core.failure import (
    BadRequest,
    Failure,
    Overloaded,
    RequestTooLarge,
    UpstreamBroke,
    UpstreamError,
    UpstreamRefusedKey,
    UpstreamSaturated,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tollhouse.core.operation import Operation
from tollhouse.routing.choice import Choice, rank
from tollhouse.routing.health import Blame, Health
from tollhouse.routing.retry import ACCOUNTS_MAX, ATTEMPTS_MAX, RetryBudget, again, backoff_ms, elsewhere, following

A, B = Offer(provider="a", model="m"), Offer(provider="b", model="m")


ACC = "acc_1"


@dataclass(frozen=True)
class OneKey:
    operations: tuple[Operation, ...] = ("chat",)
    keys: tuple[str, ...] = ("k",)


@pytest.mark.parametrize(
    ("failure", "blame", "verdict"),
    [
        (UpstreamError, "offer", True),
        (UpstreamUnreachable, "offer", True),
        (UpstreamBroke, "offer", True),
        (UpstreamTimeout, "offer", True),
        (Overloaded, "offer", True),
        (UpstreamSaturated, "key", True),
        (UpstreamRefusedKey, "key", True),
        (BadRequest, "request", False),
        (RequestTooLarge, "request", False),
        (UpstreamError, "none", False),
    ],
)
def test_which_failures_may_move_on(failure: type[Failure], blame: Blame, verdict: bool) -> None:
    assert elsewhere(failure("no"), blame) is verdict


def test_the_same_place_is_asked_again_only_where_nothing_was_sent_and_only_once() -> None:
    assert again(UpstreamUnreachable("no"), 1)
    assert not again(UpstreamUnreachable("no"), 2)
    for kind in (UpstreamBroke, UpstreamTimeout, UpstreamError, UpstreamSaturated, Overloaded, BadRequest):
        assert not again(kind("no"), 1)


def test_after_a_keys_fault_the_next_key_and_after_an_offers_fault_the_next_offer() -> None:
    choices = [Choice(A, 0), Choice(A, 2), Choice(B, 1)]
    assert following(choices, 0, "key") == 1
    assert following(choices, 0, "offer") == 2
    assert following(choices, 1, "key") == 2
    assert following(choices, 2, "key") is None
    assert following(choices, 2, "offer") is None


@given(st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_backing_off_grows_and_is_bounded(attempts: int, random: float) -> None:
    wait = backoff_ms(attempts, random)
    assert 25 <= wait <= 2_000
    assert backoff_ms(attempts, 0.0) <= wait <= backoff_ms(attempts + 1, 0.0) * 2


def test_the_reserve_is_there_at_first_and_then_empty() -> None:
    budget = RetryBudget(reserve=3, floor_per_second=0)
    assert [budget.withdraw(ACC, 0) for _ in range(4)] == [True, True, True, False]


def test_ten_calls_earn_one_retry() -> None:
    budget = RetryBudget(reserve=5, floor_per_second=0)
    while budget.withdraw(ACC, 0):
        pass
    for _ in range(9):
        budget.deposit(ACC)
    assert not budget.withdraw(ACC, 0)
    budget.deposit(ACC)
    assert budget.withdraw(ACC, 0)
    assert not budget.withdraw(ACC, 0)


def test_a_quiet_platform_earns_by_the_clock_however_often_it_asks() -> None:
    budget = RetryBudget(reserve=5, floor_per_second=0.5)
    while budget.withdraw(ACC, 0):
        pass
    granted = sum(budget.withdraw(ACC, now_ms) for now_ms in range(1, 20_001))
    assert granted == 10


def test_savings_are_bounded_and_a_clock_that_jumps_back_is_harmless() -> None:
    budget = RetryBudget(reserve=5, floor_per_second=1)
    for _ in range(1_000):
        budget.deposit(ACC)
    assert budget.left() == 5
    assert budget.withdraw(ACC, 1_000_000)
    assert budget.withdraw(ACC, 0)
    assert budget.left() == 3


@given(st.lists(st.integers(0, 200), max_size=300))
def test_retries_never_exceed_reserve_plus_a_tenth_plus_the_floor(pauses: list[int]) -> None:
    budget = RetryBudget(ratio=0.1, floor_per_second=1, reserve=10)
    now, retries = 0, 0
    for calls, pause in enumerate(pauses, start=1):
        now += pause
        budget.deposit(ACC)
        for _ in range(ATTEMPTS_MAX - 1):
            retries += budget.withdraw(ACC, now)
        assert retries <= 10 + calls / 10 + now / 1000 + 1


def test_one_account_cannot_use_up_the_retries_of_all() -> None:
    budget = RetryBudget(reserve=100, account_reserve=50, floor_per_second=0)
    assert sum(budget.withdraw("hostile", 0) for _ in range(1_000)) == 50
    for _ in range(1_000):
        budget.deposit("hostile")
        budget.withdraw("hostile", 0)
        budget.withdraw("hostile", 0)
    assert budget.left() >= 49
    assert all(budget.withdraw("honest", 0) for _ in range(40))


def test_accounts_that_fail_together_leave_retries_to_the_next_one() -> None:
    budget = RetryBudget(floor_per_second=0)
    spent = [sum(budget.withdraw(f"hostile {number}", 0) for _ in range(100)) for number in range(3)]
    assert spent == [50, 40, 5]
    assert sum(budget.withdraw("honest", 0) for _ in range(3)) == 3


def test_an_account_earns_by_its_own_calls_and_by_the_clock_and_is_forgotten_when_it_has_saved_all() -> None:
    budget = RetryBudget(reserve=100, account_reserve=5, floor_per_second=1)
    while budget.withdraw("a", 0):
        pass
    assert budget.accounts() == 1
    budget.deposit("b")
    assert not budget.withdraw("a", 999)
    assert budget.withdraw("a", 1_000)
    for _ in range(50):
        budget.deposit("a")
    assert budget.accounts() == 0


def test_the_memory_of_accounts_is_bounded() -> None:
    budget = RetryBudget(floor_per_second=100)
    for number in range(3 * ACCOUNTS_MAX):
        budget.withdraw(f"a{number}", number * 1_000)
    assert budget.accounts() == ACCOUNTS_MAX


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 200)), max_size=300))
def test_with_many_accounts_the_bound_of_the_process_holds_all_the_same(calls: list[tuple[int, int]]) -> None:
    budget, now, retries = RetryBudget(reserve=10, account_reserve=5), 0, 0
    for number, (account, pause) in enumerate(calls, start=1):
        now += pause
        budget.deposit(f"a{account}")
        retries += sum(budget.withdraw(f"a{account}", now) for _ in range(ATTEMPTS_MAX - 1))
        assert retries <= 10 + number / 10 + now / 1000 + 1


@pytest.mark.parametrize("accounts", [1, 7, 1000])
@pytest.mark.parametrize("rate", [1, 20, 200, 1000])
def test_in_an_outage_of_a_minute_attempts_stay_below_1_1_times_the_calls(rate: int, accounts: int) -> None:
    """Three offers, all down, breakers and budget together, as the gateway uses them."""
    offers = tuple(Offer(provider=name, model="m") for name in ("a", "b", "c"))
    model = Model(id="m", offers=offers)
    at = {offer.provider: OneKey() for offer in offers}
    health, budget, attempts = Health(), RetryBudget(), 0
    calls = 60 * rate
    for call in range(calls):
        now, account = call * 1000 // rate, f"acc_{call * 7919 % accounts}"
        budget.deposit(account)
        try:
            choices = rank(model, at, health, account, now, call)
        except Overloaded:
            continue
        place: int | None = 0
        may_open = True
        while place is not None:
            offer, slot = choices[place].offer, choices[place].slot
            attempts += 1
            health.begin(account, offer, slot, now)
            failure = UpstreamError("down")
            may_open &= not health.failed(account, offer, slot, failure, "offer", None, now, may_open=may_open).opened
            place = following(choices, place, "offer")
            if place is not None and not budget.withdraw(account, now):
                place = None
    to_find_out = 0 if accounts == 1 else 30  # three offers, once; less than the budget's reserve
    assert attempts <= 1.1 * calls + to_find_out
    if rate >= 20 and accounts == 1:
        assert attempts < calls / 10


def test_a_dead_first_offer_costs_fifty_callers_at_once_nothing() -> None:
    """All start before the breaker can open; each is answered by the second offer."""
    budget = RetryBudget()
    for _ in range(50):
        budget.deposit(ACC)
    assert all(budget.withdraw(ACC, 0) for _ in range(50))

"""What balance tools compute from the figures is what is left, whatever binds."""

from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.billing.holds import SpendingCounter
from tollhouse.billing.subscription import (
    UNLIMITED,
    CreditBalance,
    Subscription,
    binding,
    cents_number,
    credit,
    subscription,
    usd_number,
)
from tollhouse.billing.windows import WindowKind

USD = 10**9
WINDOWS: tuple[WindowKind, ...] = ("total", "day", "week", "month")


def budget(
    limit: int | None, spent: int = 0, held: int = 0, window: WindowKind = "month", counter_id: str = "b"
) -> SpendingCounter:
    return SpendingCounter(
        id=counter_id, limit=limit, spent=spent, held=held, window=window, level="key", object_id="key_k"
    )


def money(limit: int | None, spent: int = 0, held: int = 0) -> SpendingCounter:
    return SpendingCounter(id="acc_a", limit=limit, spent=spent, held=held, kind="money", object_id="acc_a")


def tool(shown: Subscription, month_spend: int) -> Decimal:
    """The formula as tools write it, on the numbers as they read them. Usage: of the binding month, or this month."""
    usage = shown.used if shown.by_window else month_spend
    return Decimal(usd_number(shown.hard)) - Decimal(cents_number(usage)) / 100


amounts = st.integers(0, 10**14)


@given(st.sampled_from([*WINDOWS, "money", "nothing"]), amounts, amounts, amounts, amounts)
def test_hard_limit_less_usage_is_what_is_left_under_every_kind_of_binding(
    kind: str, limit: int, spent: int, held: int, month_spend: int
) -> None:
    counter: SpendingCounter | None = None
    if kind == "money":
        counter = money(limit, spent, held)
    else:
        counter = next((budget(limit, spent, held, window) for window in WINDOWS if window == kind), None)
    shown = subscription(counter, month_spend, None, "acc_a")
    assert abs(tool(shown, month_spend) - Decimal(shown.left) / USD) <= Decimal("0.000001")
    if kind == "month":
        assert shown.hard == limit
        assert shown.left == limit - spent
    elif counter is not None:
        assert shown.left == limit - spent - held
    assert (shown.soft, shown.system_hard) == (shown.hard, UNLIMITED)


def test_the_least_left_binds_and_of_equals_the_first() -> None:
    key, account = budget(50, 20, 10, "day", "key"), budget(100, 10, 71, "total", "account")
    assert binding([key, account, money(1_000)]) is account
    account.held = 70
    assert binding([key, account]) is key
    assert binding([key, account, money(19)]) is not key
    assert binding([money(None), key]) is key
    overdrawn = money(5, 9)
    assert binding([key, overdrawn]) is overdrawn
    assert binding([budget(0, window="day"), overdrawn]) is overdrawn


def test_budgets_for_a_model_and_counters_without_a_limit_do_not_bind() -> None:
    some = budget(1)
    some.model = "gpt-*"
    assert binding([some, money(None)]) is binding([]) is None


def test_nothing_binds() -> None:
    shown = subscription(None, 3 * USD, 1_000 * USD, "acc_a")
    assert (shown.hard, shown.soft, shown.system_hard) == (UNLIMITED, UNLIMITED, 1_000 * USD)
    assert (shown.binds, shown.scope, shown.object_id, shown.window) == ("nothing", "account", "acc_a", "month")
    assert (shown.limit, shown.used, shown.held, shown.left) == (UNLIMITED, 3 * USD, 0, UNLIMITED - 3 * USD)
    assert (shown.resets_at_ms, shown.by_window) == (None, False)
    assert subscription(money(None, 5, 2), 0, None, "acc_a").held == 2
    assert usd_number(UNLIMITED) == "100000000.0"


def test_what_binds_is_said() -> None:
    counter = budget(100 * USD, 30 * USD, 5 * USD, "week")
    counter.soft, counter.resets_at_ms = (50, 80), 77
    shown = subscription(counter, 40 * USD, None, "acc_a")
    assert (shown.hard, shown.soft) == (105 * USD, 50 * USD)
    assert (shown.binds, shown.scope, shown.object_id) == ("budget", "key", "key_k")
    assert (shown.limit, shown.used, shown.held, shown.left) == (100 * USD, 30 * USD, 5 * USD, 65 * USD)
    assert (shown.window, shown.resets_at_ms, shown.by_window) == ("week", 77, False)
    monthly = budget(101, soft_window := 0)
    monthly.soft = (50,)
    assert soft_window == 0
    assert subscription(monthly, 0, None, "acc_a").soft == 51  # reached is reached: rounded up
    assert subscription(monthly, 0, None, "acc_a").by_window
    assert subscription(money(5, 2), 9, None, "acc_a").hard == 12


def test_calls_that_usage_shows_and_the_budget_does_not_count_are_put_on_the_limit() -> None:
    """The tools take them off: they were in flight when the budget was made."""
    monthly = budget(100, 30)
    shown = subscription(monthly, 0, None, "acc_a", uncounted=7)
    assert (shown.hard, shown.left) == (107, 70)
    assert shown.hard - (shown.used + 7) == shown.left


def test_money_has_no_month_of_its_own() -> None:
    counter = money(100, 30, 5)
    counter.window = "month"
    shown = subscription(counter, 10, None, "acc_a")
    assert (shown.by_window, shown.hard, shown.left) == (False, 75, 65)


@given(amounts, amounts, amounts)
def test_granted_is_used_and_available(limit: int, spent: int, held: int) -> None:
    seen = credit(money(limit, spent, held))
    assert seen == CreditBalance(limit - held, spent, limit - spent - held)
    assert seen.granted == seen.used + seen.available
    assert credit(money(None, spent)) == CreditBalance(UNLIMITED + spent, spent, UNLIMITED)


@pytest.mark.parametrize(
    ("amount", "usd", "cents"),
    [
        (0, "0.0", "0.0"),
        (1_234_567_890, "1.234568", "123.456789"),
        (100 * USD, "100.0", "10000.0"),
        (500, "0.0", "0.00005"),  # half a micro-dollar: to the even
        (1_500, "0.000002", "0.00015"),
        (501, "0.000001", "0.00005"),
        (5, "0.0", "0.0"),
        (-1_234_567_890, "-1.234568", "-123.456789"),
        (-500, "0.0", "-0.00005"),
        (-2_500_000_000, "-2.5", "-250.0"),
        (1_000_000_000_999_999_500, "1000000001.0", "100000000099.99995"),
    ],
)
def test_numbers_are_rounded_half_even_to_six_decimals_and_never_minus_zero(amount: int, usd: str, cents: str) -> None:
    assert (usd_number(amount), cents_number(amount)) == (usd, cents)


@given(st.integers(-(10**18), 10**18))
def test_numbers_agree_with_decimal(amount: int) -> None:
    for text, unit in ((usd_number(amount), USD), (cents_number(amount), USD // 100)):
        exact = (Decimal(amount) / unit).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)
        assert Decimal(text) == exact
        assert "." in text
        assert "e" not in text.lower()

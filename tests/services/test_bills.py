"""Bills: what tools compute from them is what is left under whatever binds, and no charge is missing or shown twice."""

import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, run
from tests.services.test_money import call, commit
from tollhouse.billing import holds
from tollhouse.billing.subscription import UNLIMITED, cents_number, usd_number
from tollhouse.core.account import Identity
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.failure import BadRequest
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import accounts, bills, budgets, credits, keys, projects  # noqa: A004 - the noun
from tollhouse.services.context import ServiceContext

DAY_MS = 86_400_000
MINUTE_MS = 60_000
ZONES = ("UTC", "Asia/Shanghai", "America/Los_Angeles", "Asia/Kathmandu")
WINDOWS = ("total", "day", "week", "month")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def identity(services: ServiceContext, key_id: str) -> Identity:
    found = services.directory.find(services.directory.keys[key_id].secrets[0].digest)
    assert found is not None
    return found


async def caller(services: ServiceContext, name: str = "mine", **more: Any) -> Identity:
    account = await accounts.create(services, OPERATOR, name=name)
    made = await keys.create(services, OPERATOR, name="ci", account=account.id, **more)
    return identity(services, made.key.id)


async def pay(services: ServiceContext, who: Identity, number: int, amount: int, **changed: Any) -> UsageRecord:
    """One call, held, charged and settled as the gateway does it."""
    key = who.key
    time_ms = changed.pop("time_ms", services.clock.now_ms())
    model = changed.get("model", "gpt-4o")
    counters = services.counters.of(key, time_ms, model)
    held = holds.Hold(counters, 0)
    counted = tuple((counter.id, counter.starts_at_ms) for counter in counters if counter.kind == "budget")
    place = {"key_id": key.id, "project_id": key.project_id, "time_ms": time_ms, "budgets": counted}
    made = call(number, key.account_id, amount, **{**place, "overrun": amount, **changed})
    await commit(services, made)
    holds.settle(held, amount)
    return made


async def tool(services: ServiceContext, who: Identity, start: str | None = None, end: str | None = None) -> Decimal:
    """The balance as tools compute it, from the numbers as they read them."""
    shown = (await bills.subscription(services, who)).shown
    bill = await bills.spent(services, who, start, end)
    return Decimal(usd_number(shown.hard)) - Decimal(cents_number(bill.total)) / 100


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.integers(1, 10**11), st.just(0), st.just(0), st.just("")),
        st.tuples(st.just("credit"), st.integers(-1, 3), st.just(0), st.just(0), st.just("")),
        st.tuples(
            st.just("budget"), st.integers(0, 10**11), st.integers(0, 2), st.integers(0, 3), st.sampled_from(ZONES)
        ),
        st.tuples(st.just("drop"), st.integers(0, 9), st.just(0), st.just(0), st.just("")),
        st.tuples(st.just("begin"), st.integers(0, 10**9), st.integers(0, 2), st.just(0), st.just("")),
        st.tuples(st.just("end"), st.integers(0, 3 * 10**9), st.integers(0, 1), st.just(0), st.just("")),
        st.tuples(st.just("refund"), st.integers(0, 99), st.just(0), st.just(0), st.just("")),
        st.tuples(st.just("wait"), st.integers(1, 20 * DAY_MS), st.just(0), st.just(0), st.just("")),
        st.tuples(st.just("restart"), st.just(0), st.just(0), st.just(0), st.just("")),
    ),
    max_size=20,
)


class BillScenario:
    """Three keys of two projects of one account, and calls in flight."""

    def __init__(self, services: ServiceContext, clock: SettableClock) -> None:
        self.services, self.clock = services, clock
        self.callers: list[Identity] = []
        self.flying: list[tuple[Identity, int, holds.Hold]] = []
        self.paid: list[UsageRecord] = []
        self.count = 0

    async def begin(self) -> None:
        account = await accounts.create(self.services, OPERATOR, name="mine")
        await projects.create(self.services, OPERATOR, name="second", account=account.id)
        for name, project in (("one", "default"), ("two", "second"), ("three", "second")):
            made = await keys.create(self.services, OPERATOR, name=name, account=account.id, project=project)
            self.callers.append(identity(self.services, made.key.id))

    async def step(self, kind: str, amount: int, one: int, other: int, zone: str) -> None:
        services, who = self.services, self.callers[one]
        if kind == "grant":
            await credits.grant(services, OPERATOR, "mine", usd_text(amount))
        elif kind == "credit":
            await accounts.set_credit_limit(services, OPERATOR, "mine", "unlimited" if amount < 0 else f"{amount * 10}")
        elif kind == "budget":
            named: dict[str, Any] = ({"account": "mine"}, {"project": "second"}, {"key": "three"})[one]
            await budgets.put(
                services, OPERATOR, amount_usd=usd_text(amount), window=WINDOWS[other], zone=zone, **named
            )
        elif kind == "drop":
            standing = await budgets.list_page(services, OPERATOR)
            if standing.records:
                await budgets.remove(services, OPERATOR, standing.records[amount % len(standing.records)].id)
        elif kind == "begin":
            try:
                counters = services.counters.of(who.key, self.clock.ms, "gpt-4o")
                self.flying.append((who, self.clock.ms, holds.hold(counters, amount)))
            except holds.InsufficientFunds:
                pass
        elif kind == "end" and self.flying:
            await self._end(amount, leaves=bool(one))
        elif kind == "refund" and self.paid:
            await credits.refund(services, OPERATOR, self.paid[amount % len(self.paid)].id)
        elif kind == "wait":
            self.clock.ms += amount
        elif kind == "restart":
            self.flying.clear()
            services.counters = await services.rows.load_counters(self.clock.ms)  # type: ignore[attr-defined]

    async def _end(self, amount: int, *, leaves: bool) -> None:
        who, time_ms, held = self.flying.pop(0)
        if leaves:
            holds.release(held)
            return
        self.count += 1
        record = call(
            self.count,
            who.account.id,
            amount + 1,
            time_ms=time_ms,
            key_id=who.key.id,
            project_id=who.key.project_id,
            overrun=max(0, amount + 1 - held.amount),
            budgets=tuple((counter.id, counter.starts_at_ms) for counter in held.counters if counter.kind == "budget"),
        )
        await commit(self.services, record)
        holds.settle(held, amount + 1)
        self.paid.append(record)

    async def check(self) -> None:
        for who in self.callers:
            counters = self.services.counters.of(who.key, self.clock.ms)
            shown = (await bills.subscription(self.services, who)).shown
            left = min((p.limit - p.spent - p.held for p in counters if p.limit is not None), default=None)
            if left is None:
                assert (shown.binds, shown.hard) == ("nothing", UNLIMITED)
                continue
            in_flight = shown.held if shown.by_window else 0  # such a call shows once it is charged
            assert shown.left - in_flight == left
            balance = await tool(self.services, who)
            assert abs(balance - Decimal(left + in_flight) / USD) <= Decimal("0.000001")
            if left > 0:  # and that is what it means: so much can be held, and no more
                holds.release(holds.hold(counters, left))
                with pytest.raises(holds.InsufficientFunds):
                    holds.hold(counters, left + 1)


def usd_text(amount: int) -> str:
    return f"{amount // USD}.{amount % USD:09d}"


@settings(max_examples=25)
@given(steps=STEPS)
def test_hard_limit_less_usage_is_what_is_left_whatever_binds(steps: list[tuple[str, int, int, int, str]]) -> None:
    """M02: budgets of every window, level and zone, prepaid money, credit, overdrawn, refunded, held, restarted."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        play = BillScenario(services, clock)
        await play.begin()
        await play.check()
        for step in steps:
            await play.step(*step)
            await play.check()

    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), scenario)


def played(tmp_path: Path, scenario: Callable[[ServiceContext, SettableClock], Awaitable[None]]) -> None:
    run(tmp_path, scenario)


def test_calls_in_flight_when_a_monthly_budget_is_made_do_not_make_it_look_smaller(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        who = await caller(services)
        await credits.grant(services, OPERATOR, "mine", "100")
        hold = holds.hold(services.counters.of(who.key, clock.ms, "gpt-4o"), 5 * USD)
        await budgets.put(services, OPERATOR, amount_usd="10", window="month", account="mine")
        await commit(services, call(1, who.account.id, 3 * USD, key_id=who.key.id, project_id=who.key.project_id))
        holds.settle(hold, 3 * USD)
        shown = (await bills.subscription(services, who)).shown
        assert (shown.hard, shown.used, shown.left) == (13 * USD, 0, 10 * USD)
        assert await tool(services, who) == 10
        await pay(services, who, 2, USD)
        shown = (await bills.subscription(services, who)).shown
        assert (shown.hard, shown.used, shown.left) == (13 * USD, USD, 9 * USD)

    played(tmp_path, scenario)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("binds", ["month", "week", "money"])
def test_from_the_first_to_tomorrow_is_the_answer_without_dates(tmp_path: Path, zone: str, binds: str) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        clock.ms = at("2026-11-19T14:07:31")
        who = await caller(services)
        await credits.grant(services, OPERATOR, "mine", "50")
        if binds != "money":
            await budgets.put(services, OPERATOR, amount_usd="20", window=binds, account="mine", zone=zone)
        for number, day in enumerate(("2026-10-31T23:50", "2026-11-01T00:05", "2026-11-09T12:00", "2026-11-19T14:00")):
            await pay(services, who, number, (number + 1) * USD, time_ms=at(day), model=f"m{number % 2}")
        undated = await bills.spent(services, who)
        for first, tomorrow in (("2026-11-01", "2026-11-20"), ("2026-11-1", "2026-11-20"), ("2026-11-1", "2026-12-19")):
            assert await bills.spent(services, who, first, tomorrow) == undated
        ahead = await bills.spent(services, who, "2026-10-19", "2026-12-19")
        assert ahead.total == 10 * USD
        assert await bills.spent(services, who, "2026-10-19", None) == ahead
        shown = (await bills.subscription(services, who)).shown
        assert await tool(services, who) == await tool(services, who, "2026-11-1", "2026-11-20")
        assert await tool(services, who) == Decimal(shown.left) / USD

    played(tmp_path, scenario)


def test_a_whole_is_the_sum_of_its_slices(tmp_path: Path) -> None:
    """Tools cut at 100 days, because the original refused more."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        who = await caller(services)
        await credits.grant(services, OPERATOR, "mine", "50")
        await budgets.put(services, OPERATOR, amount_usd="40", window="month", account="mine", zone="Asia/Kathmandu")
        for number in range(60):
            moment = NOW_MS - number * 17 * DAY_MS - number * 3_333_333
            await pay(services, who, number, 1_234_567 + number, time_ms=moment, model=f"m{number % 3}")
        whole = await bills.spent(services, who, "2020-01-01", "2030-01-01")
        days = [datetime.fromtimestamp(place * 86_400, UTC).date() for place in range(18_262, 21_915)]
        edges = [*(day.isoformat() for day in days[::100]), "2030-01-01"]
        slices = [await bills.spent(services, who, one, other) for one, other in pairwise(edges)]
        assert sum(part.total for part in slices) == whole.total == sum(1_234_567 + number for number in range(60))
        assert [day for part in slices for day in part.days] == list(whole.days)
        assert sum(sum(day.by_model.values()) for day in whole.days) == whole.total

    played(tmp_path, scenario)


def test_days_are_those_of_the_budget_by_the_month_that_binds_and_else_of_utc(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        who = await caller(services)
        clock.ms = at("2026-11-19T14:00")
        await credits.grant(services, OPERATOR, "mine", "50")
        await pay(services, who, 1, USD, time_ms=at("2026-11-18T15:59"))
        await pay(services, who, 2, USD, time_ms=at("2026-11-18T16:00"))
        assert [day.start_ms for day in (await bills.spent(services, who)).days] == [at("2026-11-18T00:00")]
        await budgets.put(services, OPERATOR, amount_usd="9", window="month", account="mine", zone="Asia/Shanghai")
        days = (await bills.spent(services, who)).days
        assert [day.start_ms for day in days] == [at("2026-11-17T16:00"), at("2026-11-18T16:00")]

    played(tmp_path, scenario)


@pytest.mark.parametrize(("start", "end", "param"), [("x", None, "start_date"), ("2026-11-01", "1.5", "end_date")])
def test_what_is_no_date_is_named(tmp_path: Path, start: str, end: str | None, param: str) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        who = await caller(services)
        with pytest.raises(BadRequest) as refused:
            await bills.spent(services, who, start, end)
        assert refused.value.param == param

    played(tmp_path, scenario)


def test_a_test_key_is_bound_by_nothing_and_spends_nothing(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        who = await caller(services, mode="test")
        await credits.grant(services, OPERATOR, "mine", "5")
        await budgets.put(services, OPERATOR, amount_usd="0", window="day", account="mine")
        live = await keys.create(services, OPERATOR, name="live", account="mine")
        await pay(services, identity(services, live.key.id), 1, USD)
        shown = (await bills.subscription(services, who)).shown
        assert (shown.binds, shown.hard, shown.used, shown.left) == ("nothing", UNLIMITED, 0, UNLIMITED)
        assert await bills.spent(services, who) == bills.SpendStatement(0, ())
        summed, found = await bills.credits_of(services, who)
        assert (summed.granted, summed.used, summed.available, found) == (UNLIMITED, 0, UNLIMITED, [])

    played(tmp_path, scenario)


def test_who_was_stopped_reads_his_bill_and_since_when(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        who = await caller(services)
        other = await caller(services, "other")
        assert (await bills.subscription(services, who)).canceled is False
        clock.ms += 10 * MINUTE_MS
        since = clock.ms
        await keys.freeze(services, OPERATOR, who.key.id)
        await accounts.suspend(services, OPERATOR, "other")
        clock.ms += MINUTE_MS
        for stopped in (who, other):
            standing = await bills.subscription(services, identity(services, stopped.key.id))
            assert standing.canceled
            assert standing.canceled_at_ms is not None
            assert 0 <= standing.canceled_at_ms - since < 100
        await keys.unfreeze(services, OPERATOR, who.key.id)
        again = await bills.subscription(services, identity(services, who.key.id))
        assert (again.canceled, again.canceled_at_ms) == (False, None)

    played(tmp_path, scenario)


def test_the_operators_ceiling_is_shown_and_binds_like_a_budget(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        who = await caller(services)
        await credits.grant(services, OPERATOR, "mine", "50")
        await budgets.put(services, OPERATOR, amount_usd="30", window="month", account="mine", system=True)
        await budgets.put(services, OPERATOR, amount_usd="7", window="day", account="mine", system=True)
        shown = (await bills.subscription(services, who)).shown
        assert (shown.system_hard, shown.window, shown.limit) == (30 * USD, "day", 7 * USD)

    played(tmp_path, scenario)


def test_credit_is_shown_with_what_is_left_of_each_grant(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        who = await caller(services)
        await credits.grant(services, OPERATOR, "mine", "10", reason="first")
        await pay(services, who, 1, 4 * USD)
        clock.ms += MINUTE_MS
        await credits.grant(services, OPERATOR, "mine", "5", expires_at_ms=clock.ms + 9 * DAY_MS)
        paid = await pay(services, who, 2, 7 * USD)
        clock.ms += MINUTE_MS
        await credits.refund(services, OPERATOR, paid.id, amount_usd="1")
        summed, (newer, older) = await bills.credits_of(services, who)
        assert (newer.amount, newer.used, newer.expires_at_ms) == (5 * USD, 5 * USD, NOW_MS + MINUTE_MS + 9 * DAY_MS)
        assert (older.amount, older.used, older.expires_at_ms) == (10 * USD, 6 * USD, None)
        assert (summed.granted, summed.used, summed.available) == (16 * USD, 11 * USD, 5 * USD)

    played(tmp_path, scenario)


def test_a_new_budget_counts_what_its_window_holds_for_its_models_whatever_keys_spent_it(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        who = await caller(services)
        clock.ms = at("2026-11-19T14:00")
        await pay(services, who, 1, USD, model="gpt-4o", time_ms=at("2026-11-18T18:00"))
        await pay(services, who, 2, 2 * USD, model="other", time_ms=at("2026-11-19T01:00"))
        for zone, model, spent in (("UTC", None, 2), ("Asia/Shanghai", None, 3), ("Asia/Shanghai", "gpt-*", 1)):
            made = await budgets.put(
                services, OPERATOR, amount_usd="9", window="day", key=who.key.id, zone=zone, model=model
            )
            counter = next(one for one in services.counters.standing(who.key, clock.ms) if one.id == made.id)
            assert counter.spent == spent * USD

    played(tmp_path, scenario)

"""The check of the ledger: silent while everything agrees, and it finds whatever somebody has changed behind it."""

import asyncio
import sqlite3
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from tests.gateway.harness import GATEWAY_1
from tests.services.harness import NOW_MS, OPERATOR, SettableClock, of_account, run
from tests.services.integrated_harness import harness
from tests.services.test_money import DAY_MS, call, commit
from tollhouse.billing.ledger import refundable
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.failure import Failure
from tollhouse.core.money import Money
from tollhouse.services import accounts, budgets, credits, keys, ledger  # noqa: A004 - the noun
from tollhouse.services.context import ServiceContext
from tollhouse.services.verification import _Day


async def busy(services: ServiceContext, clock: SettableClock) -> None:
    for name in ("mine", "other"):
        account = await accounts.create(services, OPERATOR, name=name)
        owner = of_account(account.id)
        key = (await keys.create(services, owner, name="ci")).key
        budget = await budgets.put(services, owner, amount_usd="1", window="day", account=account.id)
        place = ((budget.id, budget.window(NOW_MS).start_ms),)
        await credits.grant(services, OPERATOR, account.id, "1")
        first = 100 if name == "mine" else 200
        calls = [
            call(first + number, account.id, 10 + number, overrun=number % 2, budgets=place, key_id=key.id)
            for number in range(6)
        ]
        await commit(services, *calls)
        await credits.refund(services, OPERATOR, calls[2].id)


async def flaws(services: ServiceContext, clock: SettableClock) -> list[str]:
    return [flaw.reason for flaw in (await ledger.verify(services, OPERATOR)).flaws]


TAMPERING = {
    "an amount": ("UPDATE ledger SET amount = amount - 1 WHERE sequence = 3", "not what its hash was made from"),
    "an amount and its balance": (
        "UPDATE ledger SET amount = amount - 1, balance = balance - 1 WHERE sequence = 3",
        "not what its hash was made from",
    ),
    "a reason": ("UPDATE ledger SET reason = 'better' WHERE kind = 'grant'", "not what its hash was made from"),
    "a time": ("UPDATE ledger SET time_ms = time_ms + 1 WHERE sequence = 2", "not what its hash was made from"),
    "an entry dropped": ("DELETE FROM ledger WHERE sequence = 4", "missing, doubled or out of order"),
    "the last entry dropped": (
        "DELETE FROM ledger WHERE kind = 'refund'",
        "the chain ends otherwise",
    ),
    "two entries swapped": (
        "UPDATE ledger SET sequence = CASE sequence WHEN 3 THEN -4 WHEN 4 THEN -3 END WHERE sequence IN (3, 4);"
        "UPDATE ledger SET sequence = -sequence WHERE sequence < 0",
        "not chained to the entry before it",
    ),
    "an entry given to another": (
        "UPDATE ledger SET account_id = (SELECT id FROM accounts WHERE name = 'other'), sequence = 99"
        " WHERE kind = 'refund' AND account_id = (SELECT id FROM accounts WHERE name = 'mine')",
        "not chained to the entry before it",
    ),
    "the other leg": ("UPDATE ledger SET counter = 'platform:grants' WHERE sequence = 3", "its other leg is on"),
    "a balance": ("UPDATE account_money SET balance = balance + 1", "the chain ends otherwise"),
    "a head": ("UPDATE account_money SET hash = zeroblob(32)", "the chain ends otherwise"),
    "what was put in": ("UPDATE account_money SET put_in = put_in + 1", "put_in is kept as"),
    "what was spent": ("UPDATE account_money SET spent = spent - 1", "spent is kept as"),
    "the overrun": ("UPDATE account_money SET overrun = overrun + 1", "overrun is kept as"),
    "the money of an account gone": ("DELETE FROM account_money", "the chain ends otherwise"),
    "a counter one up": ("UPDATE budget_counters SET spent = spent + 1", "the counter of bud_"),
    "a counter one down": ("UPDATE budget_counters SET spent = spent - 1", "the counter of bud_"),
    "a counter's overrun": ("UPDATE budget_counters SET overrun = overrun + 1", "the counter of bud_"),
    "a counter gone": ("DELETE FROM budget_counters", "the counter of bud_"),
    "usage by days": ("UPDATE usage SET charge = charge + 1 WHERE span_ms = 86400000", "usage by days has"),
    "usage by quarters": ("UPDATE usage SET charge = charge - 1 WHERE span_ms = 900000", "usage by quarters"),
    "spending by days": ("UPDATE spend_sums SET charge = charge + 1 WHERE span_ms = 86400000", "spending by days is"),
    "a key's spending": ("UPDATE spend_sums SET charge = charge + 1 WHERE object_id LIKE 'key_%'", "of the key key_"),
    "a project's spending": ("DELETE FROM spend_sums WHERE object_id LIKE 'proj_%'", "of the project proj_"),
    "spending by hours": ("DELETE FROM spend_sums WHERE span_ms = 3600000", "spending by hours is"),
    "spending in a third of a day": (
        "UPDATE spend_sums SET start_ms = start_ms + 86400000 WHERE span_ms = 28800000",
        "spending by thirds of a day is",
    ),
    "usage moved to another model": (
        "UPDATE usage SET model = 'cheap'",
        "spending has",
    ),
    "spending moved to another model": (
        "UPDATE spend_sums SET model = 'cheap'",
        "spending has",
    ),
    "tokens of quarters": (
        "UPDATE usage SET input = input + 1 WHERE span_ms = 900000",
        "usage by quarters of an hour is",
    ),
    "tokens of days": ("UPDATE usage SET output = 0 WHERE span_ms = 86400000", "used something else"),
    "costs of the whole account": (
        "UPDATE account_usage SET charge = charge + 1 WHERE span_ms = 3600000",
        "usage by hours of the whole account is",
    ),
    "tokens of the whole account": (
        "UPDATE account_usage SET input = input + 1 WHERE span_ms = 86400000",
        "usage by days of the whole account is",
    ),
    "the models of the whole account": ("UPDATE account_usage SET model = 'cheap'", "usage of the whole account has"),
    "two calls that change places": (
        "UPDATE requests SET record = replace(record, '\"amount\":10', '\"amount\":x');"
        "UPDATE requests SET record = replace(record, '\"amount\":12', '\"amount\":10');"
        "UPDATE requests SET record = replace(record, '\"amount\":x', '\"amount\":12')",
        "each another amount",
    ),
    "what a call used": (
        "UPDATE requests SET record = replace(record, '\"input\":', '\"cache_read\":')",
        "used something else",
    ),
    "all charges gone": ("DELETE FROM ledger WHERE kind IN ('charge', 'overrun')", "the ledger has nothing"),
    "a call gone": ("DELETE FROM requests WHERE rowid = 1 OR id = (SELECT min(id) FROM requests)", "calls of"),
}


def test_calls_that_change_places_are_found_whichever_they_are() -> None:
    for number in range(500):
        one, other, swapped = f"req_{number}", f"req_{number + 500}", _Day()
        day = _Day()
        day.count(one, "charge", 10)
        day.count(other, "charge", 12)
        swapped.count(one, "charge", 12)
        swapped.count(other, "charge", 10)
        assert (day.amount, day.marks != swapped.marks) == (swapped.amount, True)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A database in which much was done, and in which no flaw is found."""
    folder = tmp_path_factory.mktemp("untouched")
    run(folder, busy)
    assert run(folder, flaws) == []
    return (folder / "tollhouse.db").read_bytes()


@pytest.mark.parametrize("what", TAMPERING)
def test_whatever_is_changed_behind_the_ledger_is_found(tmp_path: Path, untouched: bytes, what: str) -> None:
    (tmp_path / "tollhouse.db").write_bytes(untouched)
    statements, told = TAMPERING[what]
    with sqlite3.connect(tmp_path / "tollhouse.db") as raw:
        raw.executescript(f"DROP TRIGGER ledger_no_update; DROP TRIGGER ledger_no_delete; {statements}")
    raw.close()
    found = run(tmp_path, flaws)
    assert any(told in reason for reason in found), found


def test_a_price_that_was_changed_behind_its_charges_is_found(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        made = await harness(services, clock)
        called = await made.whole()
        assert await flaws(services, clock) == []
        dearer = GATEWAY_1 | {"output": "11"}
        services.prices = PriceLists([read_price(dearer, id="price_1", model="house-1")])
        assert await flaws(services, clock) == [f"{called} was charged 270000, by its price it costs 282000"]

    run(tmp_path, scenario)


def test_calls_in_test_mode_cost_nothing_and_are_nobodys_flaw(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine = await accounts.create(services, OPERATOR, name="mine")
        await commit(services, structs.replace(call(1, mine.id, 10), mode="test"), call(2, mine.id, 7))
        assert await flaws(services, clock) == []
        assert (await services.rows.read(lambda tables: tables.ledger.money(mine.id))).spent == 7

    run(tmp_path, scenario)


def test_calls_that_have_expired_are_nobodys_flaw(tmp_path: Path) -> None:
    """Records are kept for 90 days, the ledger for ever."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine = await accounts.create(services, OPERATOR, name="mine")
        await commit(services, call(1, mine.id, 10, time_ms=NOW_MS - 100 * DAY_MS), call(2, mine.id, 7))

    run(tmp_path, scenario)
    with sqlite3.connect(tmp_path / "tollhouse.db") as raw:
        raw.execute(f"DELETE FROM requests WHERE time_ms < {NOW_MS}")
    raw.close()
    assert run(tmp_path, flaws) == []


def test_a_chain_of_thousands_is_walked_to_its_end(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine = await accounts.create(services, OPERATOR, name="mine")
        for half in (range(2_501), range(2_501, 5_002)):  # no account may have more than 4,096 records waiting
            await commit(services, *(call(number, mine.id, 1) for number in half))
        found = await ledger.verify(services, OPERATOR)
        assert (found.entries, found.flaws) == (5_002, ())

    run(tmp_path, scenario)


NON_CHARGES = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.integers(0, 1), st.integers(1, 10**6)),
        st.tuples(st.just("adjust"), st.integers(0, 1), st.integers(-(10**6), 10**6).filter(bool)),
        st.tuples(st.just("calls"), st.integers(0, 1), st.integers(0, 40)),
        st.tuples(st.just("refund"), st.integers(0, 200), st.just(0)),
        st.tuples(st.just("budget"), st.integers(0, 1), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(0, 3), st.just(0)),
    ),
    max_size=25,
)


class SlowReaders:
    """What should stand, kept the obvious way."""

    def __init__(self) -> None:
        self.put_in: dict[str, int] = defaultdict(int)
        self.spent: dict[str, int] = defaultdict(int)
        self.overrun: dict[str, int] = defaultdict(int)
        self.calls: list[tuple[str, str, int]] = []
        self.refunded: set[str] = set()


@given(non_charges=NON_CHARGES)
@settings(max_examples=15)
def test_whatever_is_done_the_projection_is_what_recomputation_makes(non_charges: list[tuple[str, int, int]]) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        ours = [await accounts.create(services, OPERATOR, name=name, credit_limit_usd="7") for name in ("a", "b")]
        slow, bounds = SlowReaders(), []
        for kind, which, figure in non_charges:
            if kind == "wait":
                clock.ms += which * 12 * 3_600_000
            elif kind == "refund":
                await refund(services, slow, which)
            elif kind == "budget":
                window = ("day", "week", "month", "total")[figure]
                bounds.append(
                    await budgets.put(services, OPERATOR, amount_usd="1", window=window, account=ours[which].id)
                )
            elif kind == "calls":
                await charge(services, slow, ours[which].id, figure, clock.ms, bounds)
            else:
                usd = f"{'-' if figure < 0 else ''}0.{abs(figure):09d}"
                if kind == "grant":
                    await credits.grant(services, OPERATOR, ours[which].id, usd)
                else:
                    await credits.adjust(services, OPERATOR, account=ours[which].id, amount_usd=usd, reason="x")
                slow.put_in[ours[which].id] += figure
        assert await flaws(services, clock) == []
        store: Any = services.rows
        loaded = await store.load_counters(clock.ms)
        for account in ours:
            money: Money = await services.rows.read(lambda tables, of=account.id: tables.ledger.money(of))  # type: ignore[misc]
            put_in, spent = slow.put_in[account.id], slow.spent[account.id]
            assert (money.put_in, money.spent, money.overrun) == (put_in, spent, slow.overrun[account.id])
            assert money.balance == put_in - spent
            counter = loaded.money(account.id)
            assert (counter.limit, counter.spent) == (put_in + 7 * 10**9, spent)
            assert services.counters.money(account.id).limit == counter.limit

    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), scenario)


async def charge(
    services: ServiceContext, slow: SlowReaders, account_id: str, count: int, now_ms: int, bounds: list[Any]
) -> None:
    places = {(one.id, one.window(now_ms).start_ms) for one in bounds if one.account_id == account_id}
    made = []
    for _ in range(count):
        number = len(slow.calls)
        amount, overrun = number * 7 % 50, number % 5 if number * 7 % 50 >= 5 else 0
        one = call(number, account_id, amount, overrun=overrun, budgets=tuple(sorted(places)), time_ms=now_ms)
        slow.calls.append((one.id, account_id, amount))
        slow.spent[account_id] += amount
        slow.overrun[account_id] += overrun
        made.append(one)
    await commit(services, *made)


async def refund(services: ServiceContext, slow: SlowReaders, which: int) -> None:
    if not slow.calls:
        return
    request_id, account_id, amount = slow.calls[which % len(slow.calls)]
    try:
        await credits.refund(services, OPERATOR, request_id)
    except Failure:
        assert amount == 0
        return
    if request_id not in slow.refunded:
        slow.refunded.add(request_id)
        slow.put_in[account_id] += amount
    entries = await services.rows.read(lambda tables: tables.ledger.of_request(request_id))
    assert refundable(entry.transfer for entry in entries) == 0


def test_a_check_beside_a_busy_writer_sees_one_state(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account = await accounts.create(services, OPERATOR, name="mine")
        for start in range(0, 200, 20):
            calls = [call(start + number, account.id, 3) for number in range(20)]
            found, _ = await asyncio.gather(ledger.verify(services, OPERATOR), commit(services, *calls))
            assert found.flaws == ()

    run(tmp_path, scenario)

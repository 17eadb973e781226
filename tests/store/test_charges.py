"""What calls cost is entered with them: chained as the ledger's rules say, summed, counted, once, on both databases."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import exc, text

from tests.store.harness import begun, on_disk, outcomes, writing
from tests.store.samples import NOW_MS, FixedClock, account, request
from tollhouse.billing.budgets import Budget
from tollhouse.billing.ledger import ChainEnd, Transfer, append, tail_of, verify
from tollhouse.billing.prices import read_price
from tollhouse.billing.windows import WindowKind
from tollhouse.core.account import ApiKey
from tollhouse.core.charge import Charge
from tollhouse.core.counter import BudgetCounter
from tollhouse.core.failure import Defect
from tollhouse.core.ids import make_id
from tollhouse.core.money import Money
from tollhouse.core.price import PriceRow
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store import charges, migration
from tollhouse.store.database import open_store
from tollhouse.store.driver import Driver
from tollhouse.store.engines import connect
from tollhouse.store.tables import SqlRepositories


def call(number: int, amount: int | None, **changed: Any) -> UsageRecord:
    """A call of an account that is charged so much; None: one without a charge."""
    terms: dict[str, Any] = {"price_id": "price_1", "held": 10}
    terms |= {name: changed.pop(name) for name in Charge.__struct_fields__ if name in changed}
    charge = None if amount is None else Charge(amount=amount, **terms)
    where = {"id": make_id("req", NOW_MS + number, number.to_bytes(10, "big")), "time_ms": NOW_MS + number}
    return request(number, **{**where, "mode": "live", "charge": charge, **changed})


def grant(number: int, amount: int, account_id: str = "acc_1") -> Transfer:
    return Transfer(id=f"txn_g{number}", account_id=account_id, kind="grant", amount=amount, time_ms=NOW_MS)


def commit(url: str, *batches: list[UsageRecord | Transfer]) -> None:
    """Each batch arrives together; transfers as changes, which come after the calls of their batch."""

    async def scenario() -> None:
        async with writing(url) as (writer, _):
            for batch in batches:
                waits: list[Any] = []
                for one in batch:
                    if isinstance(one, UsageRecord):
                        waits.append(writer.commit(one))
                    else:
                        waits.append(writer.change(_appending(one)))
                await asyncio.gather(*waits)

    asyncio.run(scenario())


def _appending(transfer: Transfer) -> Callable[[Any], object]:
    return lambda connection: SqlRepositories(connection).ledger.append(transfer)


def money(url: str, account_id: str = "acc_1") -> Money:
    return on_disk(url, lambda tables: tables.ledger.money(account_id))


def test_of_very_many_chains_the_ends_are_read_anew(database_url: str) -> None:
    """What is remembered is bounded, and whatever is forgotten is not lost."""
    engines = connect(database_url, Path())
    migration.check(engines.writing, create=True)
    driver = Driver(engines.writing.connect())
    for number in (1, 2):
        driver.begin()
        charges.enter(driver, [call(number, 7)])
        driver.commit()
        heads = driver.remembered["heads"]
        assert heads["acc_1"][0] == number
        heads |= {f"acc_x{other}": (9, 9, bytes(32)) for other in range(100_001)}
        del heads["acc_1"]
    assert len(heads) == 100_001
    driver.begin()
    charges.enter(driver, [call(3, 7)])
    driver.commit()
    assert set(driver.remembered["heads"]) == {"acc_1"}
    driver.connection.close()
    engines.dispose()
    assert (money(database_url).sequence, money(database_url).spent) == (3, 21)


def test_each_entry_is_the_one_the_rules_would_have_made(database_url: str) -> None:
    """The hot path spells the hashed bytes out by itself: they must be those of `billing.ledger`."""
    calls = [
        call(1, 7),
        call(2, 0, price_id=None),
        call(3, 25, overrun=15, multiplier_ppm=1_200_000),
        call(4, 10**15),
    ]
    commit(database_url, [grant(1, 1000)], list(calls), [grant(2, 5), call(5, 1)], [call(6, 2)])
    entries = on_disk(database_url, lambda tables: list(tables.ledger.chain("acc_1")))
    tail = ChainEnd("acc_1")
    for entry, counter in entries:
        assert append(tail, entry.transfer) == entry
        assert counter == ("platform:grants" if entry.transfer.kind == "grant" else "platform:revenue")
        tail = tail_of(entry)
    told = [(entry.transfer.kind, entry.transfer.amount, entry.transfer.price_id) for entry, _ in entries]
    assert told == [
        ("grant", 1000, None),
        ("charge", -7, "price_1"),
        ("charge", 0, None),
        ("charge", -10, "price_1"),
        ("overrun", -15, "price_1"),
        ("charge", -(10**15), "price_1"),
        ("charge", -1, "price_1"),  # of a batch, calls come before changes
        ("grant", 5, None),
        ("charge", -2, "price_1"),
    ]
    assert entries[3][0].transfer.multiplier_ppm == 1_200_000
    assert {entry.transfer.request_id for entry, _ in entries[3:5]} == {calls[2].id}
    spent = 7 + 25 + 10**15 + 1 + 2
    assert money(database_url) == Money(
        account_id="acc_1",
        put_in=1005,
        spent=spent,
        overrun=15,
        balance=1005 - spent,
        sequence=9,
        hash=tail.hash,
    )


def test_accounts_have_chains_of_their_own_and_counters_count_what_names_them(database_url: str) -> None:
    commit(
        database_url,
        [
            call(1, 7, budgets=(("bud_a", 5), ("bud_b", 6))),
            call(2, 9, account_id="acc_2", overrun=4, budgets=(("bud_a", 5),)),
            call(3, 2, budgets=(("bud_a", 6),)),
        ],
        [call(4, 1, account_id="acc_2", budgets=(("bud_a", 5),))],
    )
    for account_id, balance, sequence in (("acc_1", -9, 2), ("acc_2", -10, 3)):
        assert (money(database_url, account_id).balance, money(database_url, account_id).sequence) == (
            balance,
            sequence,
        )
        chain = on_disk(database_url, lambda tables, of=account_id: [one for one, _ in tables.ledger.chain(of)])  # type: ignore[misc]
        assert list(verify(chain, account_id)) == []
    assert on_disk(database_url, lambda tables: tables.budgets.every_counter()) == [
        BudgetCounter(budget_id="bud_a", starts_at_ms=5, spent=17, overrun=4),
        BudgetCounter(budget_id="bud_a", starts_at_ms=6, spent=2),
        BudgetCounter(budget_id="bud_b", starts_at_ms=6, spent=7),
    ]


def test_what_is_free_by_its_ending_or_in_test_mode_leaves_nothing(database_url: str) -> None:
    commit(database_url, [call(1, None), call(2, 7, mode="test", budgets=(("bud_a", 5),))])
    assert money(database_url) == Money(account_id="acc_1")
    assert on_disk(database_url, lambda tables: tables.budgets.every_counter()) == []
    sums = on_disk(database_url, lambda tables: tables.usage.sums("model", from_ms=0, to_ms=2 * NOW_MS))
    assert [(one.calls, one.charge) for one in sums] == [(2, 0)]


def test_a_bill_is_read_from_the_sums(database_url: str) -> None:
    commit(database_url, [call(1, 7, model="a"), call(2, 5, model="b"), call(3, 1, model="a", project_id="proj_2")])

    def by_model(**where: Any) -> dict[str, int]:
        question = {"from_ms": 0, "to_ms": 2 * NOW_MS, **where}
        sums = on_disk(database_url, lambda tables: tables.usage.sums("model", **question))
        return {one.group: one.charge for one in sums}

    assert by_model() == {"a": 8, "b": 5}
    assert by_model(project_id="proj_2") == {"a": 1}
    assert by_model(from_ms=NOW_MS - NOW_MS % 900_000) == {"a": 8, "b": 5}


def test_a_record_that_is_refused_takes_its_charge_along_and_no_other(database_url: str) -> None:
    """Its entry had been chained in memory already: the chain must go on as if it had never been."""
    again = call(2, 100)

    async def scenario() -> None:
        async with writing(database_url) as (writer, _):
            await writer.commit(again)
            found = await outcomes(
                *(writer.commit(one) for one in (call(1, 7), again, call(3, 5))),
            )
            assert found == [None, Defect, None]
            await writer.commit(call(4, 1))

    asyncio.run(scenario())
    chain = on_disk(database_url, lambda tables: [one for one, _ in tables.ledger.chain("acc_1")])
    assert [one.transfer.amount for one in chain] == [-100, -7, -5, -1]
    assert list(verify(chain, "acc_1")) == []
    assert money(database_url).spent == 113


def test_a_change_that_fails_after_it_appended_leaves_the_chain_as_it_was(database_url: str) -> None:
    def fails(connection: Any) -> None:
        SqlRepositories(connection).ledger.append(grant(1, 50))
        raise RuntimeError

    async def scenario() -> None:
        async with writing(database_url) as (writer, _):
            found = await outcomes(writer.commit(call(1, 7)), writer.change(fails), writer.commit(call(2, 3)))
            assert found == [None, RuntimeError, None]
            await writer.commit(call(3, 1))

    asyncio.run(scenario())
    chain = on_disk(database_url, lambda tables: [one for one, _ in tables.ledger.chain("acc_1")])
    assert [one.transfer.amount for one in chain] == [-7, -3, -1]
    assert list(verify(chain, "acc_1")) == []


@pytest.mark.parametrize("table", ["ledger", "prices"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET id = 'x'", "DELETE FROM {}"])
def test_what_was_entered_can_be_neither_changed_nor_removed(database_url: str, table: str, statement: str) -> None:
    async def scenario() -> None:
        store = open_store(database_url, create=True, clock=FixedClock())
        await store.writer.commit(call(1, 7))
        await store.change(_price)
        await store.close()

    asyncio.run(scenario())
    engines = connect(database_url, Path())
    with pytest.raises(exc.IntegrityError, match="append only"), engines.writing.begin() as connection:
        connection.execute(text(statement.format(table)))
    engines.dispose()


def _price(tables: SqlRepositories) -> None:
    tables.prices.add(PriceRow(id="price_1", model="a", effective_from_ms=NOW_MS, written={"input": "2.50"}))


def _read(written: dict[str, str]) -> Any:
    return read_price(written, id="price_1", model="a", effective_from_ms=NOW_MS)


def test_a_start_loads_what_was_spent(database_url: str) -> None:
    budget = Budget(
        id="bud_a",
        account_id="acc_1",
        level="account",
        object_id="acc_1",
        amount=1000,
        kind="day",
        soft=(50, 80),
        model="gpt-*",
        system=True,
        created_at_ms=NOW_MS,
    )
    start_ms = budget.window(NOW_MS).start_ms

    async def scenario() -> None:
        store = open_store(database_url, create=True, clock=FixedClock())

        def put(tables: SqlRepositories) -> None:
            tables.accounts.add(account(1, credit_limit=50))
            tables.accounts.add(account(2, credit_limit=None))
            tables.budgets.add(budget)
            tables.ledger.append(grant(1, 1000))
            _price(tables)

        await store.change(put)
        await store.writer.commit(call(1, 30, overrun=20, budgets=(("bud_a", start_ms),)))
        await store.writer.commit(call(2, 5, account_id="acc_2"))
        counters = await store.load_counters(NOW_MS)
        one, other = counters.money("acc_1"), counters.money("acc_2")
        assert (one.limit, one.spent, one.overrun, one.left()) == (1050, 30, 20, 1020)
        assert (other.limit, other.spent) == (None, 5)
        counter = counters.put_budget(budget, NOW_MS)
        assert (counter.spent, counter.overrun, counter.limit, counter.soft) == (30, 20, 1000, (50, 80))
        prices = await store.load_prices()
        assert prices.find("a", NOW_MS) == _read({"input": "2.50"})
        assert prices.find("a", NOW_MS - 1) is None
        await store.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["day", "week", "month"])
def test_a_restart_finds_what_windows_spent_that_a_wrong_clock_leads_to(database_url: str, kind: WindowKind) -> None:
    """The clock may go back over midnight after a restart, or have been ahead before it."""
    budget = Budget(
        id="bud_a", account_id="acc_1", level="account", object_id="acc_1", amount=90, kind=kind, created_at_ms=NOW_MS
    )
    now = budget.window(NOW_MS)
    before = budget.window(now.start_ms - 1)
    before_that = budget.window(before.start_ms - 1)
    after = budget.window(now.end_ms or 0)
    starts = [one.start_ms for one in (before_that, before, now, after)]

    async def scenario() -> None:
        store = open_store(database_url, create=True, clock=FixedClock())

        def put(tables: SqlRepositories) -> None:
            tables.accounts.add(account(1, credit_limit=None))
            tables.budgets.add(budget)

        await store.change(put)
        for number, start_ms in enumerate(starts, start=1):
            charged = call(number, number, time_ms=start_ms, budgets=(("bud_a", start_ms),))
            await store.writer.commit(charged)
        counters = await store.load_counters(NOW_MS)
        key = ApiKey(id="key_1", account_id="acc_1", project_id="proj_1", name="k", created_at_ms=0)
        assert [counters.of(key, start_ms)[0].spent for start_ms in starts] == [1, 2, 3, 4]
        await store.close()

    asyncio.run(scenario())


def test_waiters_of_one_turn_are_charged_in_one_transaction(database_url: str) -> None:
    async def scenario() -> None:
        async with writing(database_url) as (writer, _):
            tasks = await begun(*(writer.commit(call(number, number)) for number in range(1, 51)))
            await asyncio.gather(*tasks)

    asyncio.run(scenario())
    assert money(database_url).spent == sum(range(1, 51))
    assert money(database_url).sequence == 50


_CHARGES_UNTIL_KILLED = """
import asyncio, itertools, sys
from tests.store.test_charges import call
from tests.store.harness import writing

async def one(writer, numbers):
    for number in numbers:
        charged = call(number, number % 50, overrun=number % 2, budgets=(("bud_a", 5),), account_id=f"acc_{number % 3}")
        await writer.commit(charged)
        print(charged.id, flush=True)

async def main():
    async with writing(sys.argv[1]) as (writer, _):
        numbers = itertools.count(1)
        await asyncio.gather(*(one(writer, numbers) for _ in range(16)))

asyncio.run(main())
"""


def test_what_was_answered_is_charged_exactly_once_after_kill_9(database_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", _CHARGES_UNTIL_KILLED, database_url], stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None
        answered = [process.stdout.readline().strip() for _ in range(300)]
        process.kill()
        answered += [line.strip() for line in process.stdout if line.endswith("\n")]
    calls = on_disk(database_url, lambda tables: list(tables.requests.charged()))
    assert set(answered) <= {one.id for one in calls}
    charged: list[str | None] = []
    spent = 0
    for account_id in ("acc_0", "acc_1", "acc_2"):
        standing = money(database_url, account_id)
        chain = on_disk(database_url, lambda tables, of=account_id: [one for one, _ in tables.ledger.chain(of)])  # type: ignore[misc]
        tail = ChainEnd(account_id, standing.sequence, standing.balance, standing.hash)
        assert list(verify(chain, account_id, tail)) == []
        charged += [one.transfer.request_id for one in chain if one.transfer.kind == "charge"]
        spent += standing.spent
    assert sorted(one.id for one in calls) == sorted(filter(None, charged))
    (counter,) = on_disk(database_url, lambda tables: tables.budgets.every_counter())
    assert counter.spent == spent == sum(one.charge.amount for one in calls if one.charge)

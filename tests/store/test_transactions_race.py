"""Actions that race for the same thing, on both databases: the database decides, once."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.store.samples import NOW_MS, FixedClock
from tests.store.test_charges import call, grant, money
from tollhouse.billing.ledger import ChainEnd, Transfer, verify
from tollhouse.core.code import Code
from tollhouse.core.failure import Conflict
from tollhouse.store.database import Store, open_store
from tollhouse.store.tables import SqlRepositories


def two(url: str, scenario: Callable[[Store, Store], Any]) -> None:
    """Two processes' stores on one database."""

    async def whole() -> None:
        first = open_store(url, create=True, clock=FixedClock(), folder=Path())
        second = open_store(url, create=True, clock=FixedClock(), folder=Path())
        try:
            await scenario(first, second)
        finally:
            await first.close()
            await second.close()

    asyncio.run(whole())


def test_64_redeems_of_one_code_by_two_processes_pay_once(database_url: str) -> None:
    code = Code(id="code_1", digest=b"d" * 32, last4="abcd", amount=5, created_at_ms=NOW_MS)

    def redeem(number: int) -> Callable[[SqlRepositories], bool]:
        def transaction(tables: SqlRepositories) -> bool:
            if tables.codes.take(code.digest, "acc_1", NOW_MS) is None:
                return False
            tables.ledger.append(grant(number, code.amount))
            return True

        return transaction

    async def scenario(first: Store, second: Store) -> None:
        await first.change(lambda tables: tables.codes.add(code))
        told = await asyncio.gather(*((first, second)[number % 2].change(redeem(number)) for number in range(64)))
        assert sum(told) == 1

    two(database_url, scenario)
    assert money(database_url).balance == 5


def test_a_call_is_refunded_once_by_two_processes(database_url: str) -> None:
    charged = call(1, 7)

    def refund(number: int) -> Callable[[SqlRepositories], object]:
        transfer = Transfer(
            id=f"txn_r{number}",
            account_id="acc_1",
            kind="refund",
            amount=7,
            time_ms=NOW_MS,
            request_id=charged.id,
        )
        return lambda tables: tables.ledger.append(transfer)

    async def scenario(first: Store, second: Store) -> None:
        await first.writer.commit(charged)
        told = await asyncio.gather(
            *((first, second)[number % 2].change(refund(number)) for number in range(16)), return_exceptions=True
        )
        assert sum(not isinstance(one, BaseException) for one in told) == 1
        assert {type(one) for one in told if isinstance(one, BaseException)} == {Conflict}

    two(database_url, scenario)
    assert money(database_url).balance == 0


def test_two_processes_charge_one_account_into_one_chain(database_url: str) -> None:
    """Each remembers where the chain ended; whoever is wrong finds out by the database and reads it again."""

    async def scenario(first: Store, second: Store) -> None:
        for turn in range(10):
            calls = [call(turn * 8 + number, 1) for number in range(8)]
            await asyncio.gather(*((first, second)[n % 2].writer.commit(one) for n, one in enumerate(calls)))
        standing = await first.read(lambda tables: tables.ledger.money("acc_1"))
        chain = await first.read(lambda tables: [one for one, _ in tables.ledger.chain("acc_1")])
        assert len(chain) == 80
        tail = ChainEnd("acc_1", standing.sequence, standing.balance, standing.hash)
        assert list(verify(chain, "acc_1", tail)) == []

    two(database_url, scenario)

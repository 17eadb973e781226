"""Grants that end, on both databases: found without reading charges, and ended once by two processes."""

import asyncio
from functools import partial
from pathlib import Path

from msgspec import structs

from tests.store.samples import NOW_MS, FixedClock, account
from tests.store.test_charges import call, grant, money
from tollhouse.billing.ledger import Transfer
from tollhouse.clock import SystemRandom
from tollhouse.core.audit import Actor
from tollhouse.services import expiry
from tollhouse.services.context import ServiceContext
from tollhouse.store.database import Store, open_store
from tollhouse.store.tables import SqlRepositories

SYSTEM = Actor(kind="system", id="tollhouse")


def _give(transfer: Transfer, tables: SqlRepositories) -> None:
    tables.ledger.append(transfer)


async def services_on(store: Store) -> ServiceContext:
    clock = FixedClock()
    return ServiceContext(
        rows=store,
        directory=await store.load_directory(),
        clock=clock,
        random=SystemRandom(),
        counters=await store.load_counters(clock.now_ms()),
    )


def test_accounts_are_found_by_the_first_of_their_grants_that_end(database_url: str) -> None:
    async def scenario() -> None:
        store = open_store(database_url, create=True, clock=FixedClock(), folder=Path())
        try:
            assert await store.read(lambda tables: tables.ledger.expiring()) == {}
            for number, ends_at_ms in ((1, NOW_MS + 9), (2, NOW_MS + 5), (3, None)):
                await store.change(partial(_give, structs.replace(grant(number, 5), expires_at_ms=ends_at_ms)))
            assert await store.read(lambda tables: tables.ledger.expiring()) == {"acc_1": NOW_MS + 5}
        finally:
            await store.close()

    asyncio.run(scenario())


def test_a_grant_is_ended_once_by_two_processes_while_calls_are_charged(database_url: str) -> None:
    async def scenario() -> None:
        stores = [open_store(database_url, create=True, clock=FixedClock(), folder=Path()) for _ in range(2)]
        try:
            first, second = stores
            await first.change(lambda tables: tables.accounts.add(account(1)))
            ends = structs.replace(grant(1, 100), expires_at_ms=NOW_MS)
            await first.change(partial(_give, ends))
            offices = [await services_on(store) for store in stores]
            spending = [store.writer.commit(call(number, 1)) for number, store in enumerate((first, second) * 10, 1)]
            charging = asyncio.gather(*spending)
            posted = await asyncio.gather(*(expiry.post_due(services, SYSTEM) for services in offices * 4))
            await charging
            taken = sum(-entry.transfer.amount for entries in posted for entry in entries)
            assert 80 <= taken <= 100
            assert {counter.held for counter in (services.counters.money("acc_1") for services in offices)} == {0}
        finally:
            for store in stores:
                await store.close()
        standing = money(database_url)
        assert (standing.put_in, standing.spent) == (100 - taken, 20)
        assert standing.balance == 80 - taken

    asyncio.run(scenario())

"""Grants that end: what is left of them goes, once, and never what a call in flight is to be paid from."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, audited, of_account, run
from tests.services.test_money import call, commit, owner_of, sound
from tollhouse.billing import holds
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.audit import Actor
from tollhouse.core.failure import Overloaded, ScopeMissing
from tollhouse.services import credits, expiry  # noqa: A004 - the noun
from tollhouse.services.context import ServiceContext

MINUTE_MS = 60_000
SYSTEM = Actor(kind="system", id="tollhouse")


async def due(services: ServiceContext) -> list[int]:
    """End what is over: what was taken, in USD."""
    return [-entry.transfer.amount // USD for entry in await expiry.post_due(services, SYSTEM)]


async def give(services: ServiceContext, usd: int, minutes: int | None = None) -> None:
    ends = None if minutes is None else services.clock.now_ms() + minutes * MINUTE_MS
    await credits.grant(services, OPERATOR, "mine", str(usd), expires_at_ms=ends)


async def balance(services: ServiceContext, account_id: str) -> int:
    return (await services.rows.read(lambda tables: tables.ledger.money(account_id))).balance // USD


def test_what_is_left_of_a_grant_goes_when_its_time_is_over_and_once(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services)
        counter = services.counters.money(mine.id)
        await give(services, 10)
        assert await due(services) == []
        await give(services, 5, minutes=2)
        await give(services, 4, minutes=1)
        await commit(services, call(1, mine.id, 2 * USD))
        counter.spent += 2 * USD
        clock.ms += MINUTE_MS - 1
        assert await due(services) == []
        clock.ms += 1
        assert await due(services) == [2]  # of the 4, 2 were spent: what ends first is spent first
        assert (counter.left(), await balance(services, mine.id)) == (15 * USD, 15)
        assert await due(services) == []
        clock.ms += MINUTE_MS
        assert await due(services) == [5]
        assert (counter.left(), await balance(services, mine.id)) == (10 * USD, 10)
        assert await due(services) == []
        (first, _) = [row for row in await audited(services) if row.action == "credits.expire"]
        assert (first.actor_kind, first.account_id, first.after["usd"]) == ("system", mine.id, "-2")
        await sound(services)

    run(tmp_path, scenario)


def test_a_grant_that_was_used_up_ends_without_an_entry_and_is_not_looked_at_again(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services, credit_limit_usd="unlimited")
        await give(services, 4, minutes=1)
        await commit(services, call(1, mine.id, 9 * USD))
        assert await due(services) == []
        clock.ms += MINUTE_MS
        assert await due(services) == []
        assert services.expiring == {}
        assert await balance(services, mine.id) == -5
        await give(services, 3, minutes=1)  # pays the debt first
        clock.ms += MINUTE_MS
        assert await due(services) == []
        await sound(services)

    run(tmp_path, scenario)


def test_money_that_is_held_stays_and_what_the_call_leaves_goes_later(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services)
        counter = services.counters.money(mine.id)
        await give(services, 10)
        await give(services, 5, minutes=1)
        in_flight = holds.hold((counter,), 3 * USD)
        clock.ms += MINUTE_MS
        assert await due(services) == [2]
        assert (counter.held, counter.left()) == (3 * USD, 10 * USD)
        assert await due(services) == []
        await commit(services, call(1, mine.id, USD))
        holds.settle(in_flight, USD)
        assert await due(services) == [2]
        assert (counter.held, counter.left(), await balance(services, mine.id)) == (0, 10 * USD, 10)
        await sound(services)

    run(tmp_path, scenario)


def test_more_held_than_there_is_in_grants_leaves_all_of_them(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services, credit_limit_usd="20")
        counter = services.counters.money(mine.id)
        await give(services, 5, minutes=1)
        in_flight = holds.hold((counter,), 25 * USD)
        clock.ms += MINUTE_MS
        assert await due(services) == []
        assert (counter.left(), await balance(services, mine.id)) == (0, 5)
        holds.release(in_flight)
        assert await due(services) == [5]
        assert counter.left() == 20 * USD

    run(tmp_path, scenario)


def test_it_survives_a_restart_and_begins_with_one(tmp_path: Path) -> None:
    async def before(services: ServiceContext, clock: SettableClock) -> str:
        mine, _ = await owner_of(services)
        await give(services, 5, minutes=1)
        await give(services, 7, minutes=2)
        clock.ms += MINUTE_MS
        assert await due(services) == [5]
        return mine.id

    account_id = run(tmp_path, before)

    async def after(services: ServiceContext, clock: SettableClock) -> None:
        clock.ms = NOW_MS + 10 * MINUTE_MS
        assert await due(services) == [7]
        assert (services.counters.money(account_id).left(), await balance(services, account_id)) == (0, 0)
        await sound(services)

    run(tmp_path, after)

    async def again(services: ServiceContext, clock: SettableClock) -> None:
        clock.ms = NOW_MS + 20 * MINUTE_MS
        assert await due(services) == []

    run(tmp_path, again)


def test_asked_by_many_at_once_it_is_posted_once(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        await give(services, 5, minutes=1)
        await give(services, 10)
        clock.ms += MINUTE_MS
        taken = await asyncio.gather(*(due(services) for _ in range(8)))
        assert [one for posted in taken for one in posted] == [5]
        counter = services.counters.money(mine.id)
        assert (counter.held, counter.left()) == (0, 10 * USD)
        with pytest.raises(ScopeMissing):
            await expiry.post_due(services, owner)
        await sound(services)

    run(tmp_path, scenario)


def test_while_it_is_posted_no_call_gets_the_money_and_where_it_cannot_be_it_is_free_again(tmp_path: Path) -> None:
    class Away:
        """Rows that read, and cannot be written for a while. `seen`: what the counter had left meanwhile."""

        def __init__(self, services: ServiceContext, account_id: str) -> None:
            self.rows = services.rows
            self.counter = services.counters.money(account_id)
            self.seen: list[int | None] = []

        async def read(self, *asked: Any) -> Any:
            return await self.rows.read(*asked)

        async def change(self, *asked: Any) -> Any:
            self.seen.append(self.counter.left())
            raise Overloaded("the database is away")

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services)
        await give(services, 5, minutes=1)
        assert await due(services) == []
        clock.ms += MINUTE_MS
        away = Away(services, mine.id)
        services.rows = away
        with pytest.raises(Overloaded):
            await due(services)
        assert away.seen == [0]
        assert (away.counter.held, away.counter.left()) == (0, 5 * USD)
        services.rows = away.rows
        assert await due(services) == [5]

    run(tmp_path, scenario)


def test_calls_that_spend_the_grant_while_it_is_counted_are_paid_from_it(tmp_path: Path) -> None:
    """The charge is written between the count and the entry: the entry takes no more than is left then."""

    class Between:
        """Rows between whose reads and changes a call is charged."""

        def __init__(self, services: ServiceContext, account_id: str) -> None:
            self.rows, self.services, self.account_id = services.rows, services, account_id

        async def read(self, *asked: Any) -> Any:
            return await self.rows.read(*asked)

        async def change(self, *asked: Any) -> Any:
            self.services.rows = self.rows
            await commit(self.services, call(1, self.account_id, 4 * USD))
            return await self.rows.change(*asked)

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services)
        await give(services, 5, minutes=1)
        await give(services, 10)
        assert await due(services) == []
        clock.ms += MINUTE_MS
        services.rows = Between(services, mine.id)
        assert await due(services) == [1]
        assert await balance(services, mine.id) == 10
        assert await due(services) == []
        await sound(services)

    run(tmp_path, scenario)


STEPS = st.lists(
    st.tuples(st.sampled_from(["grant", "lasting", "hold", "settle", "release", "wait"]), st.integers(1, 9)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_an_expiry_takes_what_is_left_of_its_grant_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Whatever is given, held and spent: an entry only lowers the balance, by no more than its grant has left, never
    below what is held, and nothing is left once all is over and nothing is held."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services)
        counter, open_holds, calls, lasting = services.counters.money(mine.id), list[holds.Hold](), 0, 0
        for what, size in steps:
            if what == "grant":
                await give(services, size, minutes=size)
            elif what == "lasting":
                await give(services, size)
                lasting += size
            elif what == "hold" and (counter.left() or 0) >= size * USD:
                open_holds.append(holds.hold((counter,), size * USD))
            elif what == "settle" and open_holds:
                held = open_holds.pop()
                calls += 1
                charge = min(held.amount, size * USD)
                await commit(services, call(calls, mine.id, charge))
                holds.settle(held, charge)
            elif what == "release" and open_holds:
                holds.release(open_holds.pop())
            else:
                clock.ms += size * MINUTE_MS
            before = await balance(services, mine.id)
            taken = await due(services)
            assert await balance(services, mine.id) == before - sum(taken)
            assert all(one > 0 for one in taken)
            assert counter.limit is not None
            assert counter.spent + counter.held <= counter.limit
            assert counter.limit - counter.spent == (before - sum(taken)) * USD
        for held in open_holds:
            holds.release(held)
        clock.ms += 10 * MINUTE_MS
        await due(services)
        assert services.expiring == {}
        assert await balance(services, mine.id) <= lasting
        await sound(services)

    run(tmp_path_factory.mktemp("office"), scenario)


def test_owners_do_not_end_grants(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        with pytest.raises(ScopeMissing):
            await expiry.post_due(services, of_account("acc_x"))

    run(tmp_path, scenario)

"""Grants that end: what is left of them goes, once, and never what a call in flight is to be paid from."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.office.scene import NOW_MS, OPERATOR, HandClock, audited, of_account, run
from tests.office.test_money import call, commit, owner_of, sound
from tollhouse.billing import book
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.audit import Actor
from tollhouse.core.failure import Overloaded, ScopeMissing
from tollhouse.office import credits, expiry  # noqa: A004 - the noun
from tollhouse.office.office import Office

MINUTE_MS = 60_000
SYSTEM = Actor(kind="system", id="tollhouse")


async def due(office: Office) -> list[int]:
    """End what is over: what was taken, in USD."""
    return [-entry.transfer.amount // USD for entry in await expiry.post_due(office, SYSTEM)]


async def give(office: Office, usd: int, minutes: int | None = None) -> None:
    ends = None if minutes is None else office.clock.now_ms() + minutes * MINUTE_MS
    await credits.grant(office, OPERATOR, "mine", str(usd), expires_at_ms=ends)


async def balance(office: Office, account_id: str) -> int:
    return (await office.rows.read(lambda tables: tables.ledger.money(account_id))).balance // USD


def test_what_is_left_of_a_grant_goes_when_its_time_is_over_and_once(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        mine, _ = await owner_of(office)
        purse = office.purses.money(mine.id)
        await give(office, 10)
        assert await due(office) == []
        await give(office, 5, minutes=2)
        await give(office, 4, minutes=1)
        await commit(office, call(1, mine.id, 2 * USD))
        purse.spent += 2 * USD
        clock.ms += MINUTE_MS - 1
        assert await due(office) == []
        clock.ms += 1
        assert await due(office) == [2]  # of the 4, 2 were spent: what ends first is spent first
        assert (purse.left(), await balance(office, mine.id)) == (15 * USD, 15)
        assert await due(office) == []
        clock.ms += MINUTE_MS
        assert await due(office) == [5]
        assert (purse.left(), await balance(office, mine.id)) == (10 * USD, 10)
        assert await due(office) == []
        (first, _) = [row for row in await audited(office) if row.action == "credits.expire"]
        assert (first.actor_kind, first.account_id, first.after["usd"]) == ("system", mine.id, "-2")
        await sound(office)

    run(tmp_path, scene)


def test_a_grant_that_was_used_up_ends_without_an_entry_and_is_not_looked_at_again(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        mine, _ = await owner_of(office, credit_limit_usd="unlimited")
        await give(office, 4, minutes=1)
        await commit(office, call(1, mine.id, 9 * USD))
        assert await due(office) == []
        clock.ms += MINUTE_MS
        assert await due(office) == []
        assert office.expiring == {}
        assert await balance(office, mine.id) == -5
        await give(office, 3, minutes=1)  # pays the debt first
        clock.ms += MINUTE_MS
        assert await due(office) == []
        await sound(office)

    run(tmp_path, scene)


def test_money_that_is_held_stays_and_what_the_call_leaves_goes_later(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        mine, _ = await owner_of(office)
        purse = office.purses.money(mine.id)
        await give(office, 10)
        await give(office, 5, minutes=1)
        in_flight = book.hold((purse,), 3 * USD)
        clock.ms += MINUTE_MS
        assert await due(office) == [2]
        assert (purse.held, purse.left()) == (3 * USD, 10 * USD)
        assert await due(office) == []
        await commit(office, call(1, mine.id, USD))
        book.settle(in_flight, USD)
        assert await due(office) == [2]
        assert (purse.held, purse.left(), await balance(office, mine.id)) == (0, 10 * USD, 10)
        await sound(office)

    run(tmp_path, scene)


def test_more_held_than_there_is_in_grants_leaves_all_of_them(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        mine, _ = await owner_of(office, credit_limit_usd="20")
        purse = office.purses.money(mine.id)
        await give(office, 5, minutes=1)
        in_flight = book.hold((purse,), 25 * USD)
        clock.ms += MINUTE_MS
        assert await due(office) == []
        assert (purse.left(), await balance(office, mine.id)) == (0, 5)
        book.release(in_flight)
        assert await due(office) == [5]
        assert purse.left() == 20 * USD

    run(tmp_path, scene)


def test_it_survives_a_restart_and_begins_with_one(tmp_path: Path) -> None:
    async def before(office: Office, clock: HandClock) -> str:
        mine, _ = await owner_of(office)
        await give(office, 5, minutes=1)
        await give(office, 7, minutes=2)
        clock.ms += MINUTE_MS
        assert await due(office) == [5]
        return mine.id

    account_id = run(tmp_path, before)

    async def after(office: Office, clock: HandClock) -> None:
        clock.ms = NOW_MS + 10 * MINUTE_MS
        assert await due(office) == [7]
        assert (office.purses.money(account_id).left(), await balance(office, account_id)) == (0, 0)
        await sound(office)

    run(tmp_path, after)

    async def again(office: Office, clock: HandClock) -> None:
        clock.ms = NOW_MS + 20 * MINUTE_MS
        assert await due(office) == []

    run(tmp_path, again)


def test_asked_by_many_at_once_it_is_posted_once(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        mine, owner = await owner_of(office)
        await give(office, 5, minutes=1)
        await give(office, 10)
        clock.ms += MINUTE_MS
        taken = await asyncio.gather(*(due(office) for _ in range(8)))
        assert [one for posted in taken for one in posted] == [5]
        purse = office.purses.money(mine.id)
        assert (purse.held, purse.left()) == (0, 10 * USD)
        with pytest.raises(ScopeMissing):
            await expiry.post_due(office, owner)
        await sound(office)

    run(tmp_path, scene)


def test_while_it_is_posted_no_call_gets_the_money_and_where_it_cannot_be_it_is_free_again(tmp_path: Path) -> None:
    class Away:
        """Rows that read, and cannot be written for a while. `seen`: what the purse had left meanwhile."""

        def __init__(self, office: Office, account_id: str) -> None:
            self.rows = office.rows
            self.purse = office.purses.money(account_id)
            self.seen: list[int | None] = []

        async def read(self, *asked: Any) -> Any:
            return await self.rows.read(*asked)

        async def change(self, *asked: Any) -> Any:
            self.seen.append(self.purse.left())
            raise Overloaded("the database is away")

    async def scene(office: Office, clock: HandClock) -> None:
        mine, _ = await owner_of(office)
        await give(office, 5, minutes=1)
        assert await due(office) == []
        clock.ms += MINUTE_MS
        away = Away(office, mine.id)
        office.rows = away
        with pytest.raises(Overloaded):
            await due(office)
        assert away.seen == [0]
        assert (away.purse.held, away.purse.left()) == (0, 5 * USD)
        office.rows = away.rows
        assert await due(office) == [5]

    run(tmp_path, scene)


def test_calls_that_spend_the_grant_while_it_is_counted_are_paid_from_it(tmp_path: Path) -> None:
    """The charge is written between the count and the entry: the entry takes no more than is left then."""

    class Between:
        """Rows between whose reads and changes a call is charged."""

        def __init__(self, office: Office, account_id: str) -> None:
            self.rows, self.office, self.account_id = office.rows, office, account_id

        async def read(self, *asked: Any) -> Any:
            return await self.rows.read(*asked)

        async def change(self, *asked: Any) -> Any:
            self.office.rows = self.rows
            await commit(self.office, call(1, self.account_id, 4 * USD))
            return await self.rows.change(*asked)

    async def scene(office: Office, clock: HandClock) -> None:
        mine, _ = await owner_of(office)
        await give(office, 5, minutes=1)
        await give(office, 10)
        assert await due(office) == []
        clock.ms += MINUTE_MS
        office.rows = Between(office, mine.id)
        assert await due(office) == [1]
        assert await balance(office, mine.id) == 10
        assert await due(office) == []
        await sound(office)

    run(tmp_path, scene)


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

    async def scene(office: Office, clock: HandClock) -> None:
        mine, _ = await owner_of(office)
        purse, holds, calls, lasting = office.purses.money(mine.id), list[book.Hold](), 0, 0
        for what, size in steps:
            if what == "grant":
                await give(office, size, minutes=size)
            elif what == "lasting":
                await give(office, size)
                lasting += size
            elif what == "hold" and (purse.left() or 0) >= size * USD:
                holds.append(book.hold((purse,), size * USD))
            elif what == "settle" and holds:
                held = holds.pop()
                calls += 1
                charge = min(held.amount, size * USD)
                await commit(office, call(calls, mine.id, charge))
                book.settle(held, charge)
            elif what == "release" and holds:
                book.release(holds.pop())
            else:
                clock.ms += size * MINUTE_MS
            before = await balance(office, mine.id)
            taken = await due(office)
            assert await balance(office, mine.id) == before - sum(taken)
            assert all(one > 0 for one in taken)
            assert purse.limit is not None
            assert purse.spent + purse.held <= purse.limit
            assert purse.limit - purse.spent == (before - sum(taken)) * USD
        for held in holds:
            book.release(held)
        clock.ms += 10 * MINUTE_MS
        await due(office)
        assert office.expiring == {}
        assert await balance(office, mine.id) <= lasting
        await sound(office)

    run(tmp_path_factory.mktemp("office"), scene)


def test_owners_do_not_end_grants(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        with pytest.raises(ScopeMissing):
            await expiry.post_due(office, of_account("acc_x"))

    run(tmp_path, scene)

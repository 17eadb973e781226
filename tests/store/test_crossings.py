"""Thresholds are noticed in the transaction of the charges that reach them, on both databases: once whoever writes at
the same time, not at all where the charge does not stand, and for nothing where no budget has any."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import structs
from sqlalchemy import event

from tests.store.harness import on_disk, outcomes, writing
from tests.store.samples import NOW_MS, account, person
from tests.store.test_charges import call
from tollhouse.billing.budgets import Budget
from tollhouse.core.notice import QueuedDelivery
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store import crossings
from tollhouse.store.batch import STEPS
from tollhouse.store.driver import Driver
from tollhouse.store.engines import connect
from tollhouse.store.tables import SqlRepositories
from tollhouse.store.writer import Writer

BUDGET = Budget(
    id="bud_1",
    account_id="acc_1",
    level="account",
    object_id="acc_1",
    amount=100,
    kind="day",
    soft=(50, 80, 100),
    created_at_ms=NOW_MS,
)
START_MS = BUDGET.window(NOW_MS).start_ms


def founded(tables: SqlRepositories, *budgets: Budget) -> None:
    tables.accounts.add(account(1))
    tables.people.add(person(2, state="active"))
    for budget in budgets:
        tables.budgets.add(budget)


async def found(writer: Writer, *budgets: Budget) -> None:
    await writer.change(lambda connection: founded(SqlRepositories(connection), *budgets))


def spends(number: int, amount: int, *budgets: str, **more: Any) -> UsageRecord:
    places = tuple((budget, START_MS) for budget in budgets or ("bud_1",))
    return call(number, amount, budgets=places, **more)


def told(url: str) -> list[QueuedDelivery]:
    return on_disk(url, lambda tables: tables.outbox.page(before=None, limit=1000))


def marks(url: str) -> list[int]:
    return sorted(one.notice.mark for one in told(url))


def test_what_is_reached_is_written_with_what_reaches_it(database_url: str) -> None:
    async def scenario() -> None:
        async with writing(database_url) as (writer, _):
            await found(writer, BUDGET)
            woken: list[int] = []
            writer.on_notice = lambda: woken.append(1)
            await writer.commit(spends(1, 49))
            assert (marks(database_url), len(woken)) == ([], 0)
            await writer.commit(spends(2, 1))
            assert marks(database_url) == [50]
            await asyncio.gather(*(writer.commit(spends(number, 10)) for number in range(3, 10)))
            assert marks(database_url) == [50, 80, 100]
            await writer.commit(spends(10, 10))
            assert len(woken) == 2

    asyncio.run(scenario())
    addresses = {one.delivery.address for one in told(database_url)}
    assert addresses == {"owner1@example.org, owner2@example.org"}
    assert len({one.notice.id for one in told(database_url)}) == 3


def test_what_does_not_stand_is_not_told(database_url: str) -> None:
    """One record of a batch is refused: what it would have reached alone is not told, what the others reach is."""
    refused = spends(2, 40)

    def refuses(driver: Driver, batch: Sequence[UsageRecord]) -> None:
        if refused in batch:
            raise ValueError("this one cannot be written")

    async def scenario() -> None:
        async with writing(database_url, steps=(*STEPS, refuses)) as (writer, _):
            await found(writer, BUDGET)
            await outcomes(writer.commit(spends(1, 45)), writer.commit(refused), writer.commit(spends(3, 10)))
            assert marks(database_url) == [50]
            await writer.commit(spends(4, 30))
            assert marks(database_url) == [50, 80]

    asyncio.run(scenario())


def test_two_writers_that_reach_it_together_tell_it_once(database_url: str) -> None:
    async def scenario() -> None:
        async with writing(database_url) as (one, _), writing(database_url) as (other, _):
            await found(one, BUDGET)
            await asyncio.gather(
                *(writer.commit(spends(number, 5)) for number, writer in enumerate([one, other] * 12, start=1))
            )

    asyncio.run(scenario())
    assert marks(database_url) == [50, 80, 100]
    (counter,) = on_disk(database_url, lambda tables: tables.budgets.every_counter())
    assert counter.spent == 120


def test_a_budget_that_changes_is_followed(database_url: str) -> None:
    """Set in this process: with the next charge. Set in another: within a second of calls."""
    other = budget_with(soft=(10,), id="bud_2")

    async def scenario() -> None:
        async with writing(database_url) as (writer, _), writing(database_url) as (elsewhere, _):
            await found(writer)
            await writer.commit(spends(1, 10, "bud_1", "bud_2"))
            await writer.change(lambda connection: SqlRepositories(connection).budgets.add(BUDGET))
            await writer.commit(spends(2, 50, "bud_1", "bud_2"))
            assert marks(database_url) == [50]
            await elsewhere.change(lambda connection: SqlRepositories(connection).budgets.add(other))
            await writer.commit(spends(3, 1, "bud_1", "bud_2", time_ms=NOW_MS + 1_100))
            if database_url.startswith("postgresql"):
                assert marks(database_url) == [10, 50]
            await writer.change(lambda connection: SqlRepositories(connection).budgets.remove("bud_1"))
            await writer.commit(spends(4, 50, "bud_1"))
            assert 80 not in marks(database_url)

    asyncio.run(scenario())


def budget_with(**changed: Any) -> Budget:
    return structs.replace(BUDGET, **changed)


class QuestionCounter(Driver):
    """A driver that counts what it is asked, beside what SQLAlchemy runs."""

    asked = 0

    def ask(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        self.asked += 1
        return super().ask(statement, values)


def test_calls_without_thresholds_cost_no_question(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/tollhouse.db"

    async def scenario() -> None:
        async with writing(url) as (writer, _):
            await found(writer, budget_with(soft=(), id="bud_plain"), BUDGET)
            await writer.commit(spends(1, 60))

    asyncio.run(scenario())
    engines = connect(url, Path())
    with engines.writing.connect() as connection:
        statements: list[str] = []
        event.listen(connection, "before_cursor_execute", lambda *seen: statements.append(seen[2]))
        driver = QuestionCounter(connection)
        driver.begin()
        for number in range(2, 10):
            crossings.record_threshold_alerts(
                driver, [spends(number, 5, "bud_plain"), spends(100 + number, 5, "bud_plain")]
            )
        assert (driver.asked, len(statements)) == (0, 1), "the budgets with thresholds were read once"
        for number in range(10, 15):
            crossings.record_threshold_alerts(driver, [spends(number, 5), spends(100 + number, 5)])
        assert (driver.asked, len(statements)) == (5, 2), "a counter a batch; what was told before is read once"
        assert not driver.noticed
        driver.rollback()
    engines.dispose()

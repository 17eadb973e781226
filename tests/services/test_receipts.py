"""Receipts, from calls that went through the gateway onto a real store: they say what was charged, and to whom."""

from pathlib import Path
from random import Random

import pytest

from tests.gateway.fakes import FakeCallerConnection
from tests.gateway.harness import DONE, FINISH, ROLE, STORY, asking, event, refusing, word
from tests.services.harness import OPERATOR, SettableClock, of_account, run
from tests.services.integrated_harness import IntegratedHarness, harness
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import accounts, budgets, keys, receipts, usage
from tollhouse.services import credits as credit
from tollhouse.services.context import ServiceContext
from tollhouse.services.pages import Page
from tollhouse.services.receipts import ReceiptFilter

MUCH = event(choices=[], usage={"prompt_tokens": 60, "completion_tokens": 900, "total_tokens": 960})
CHARGE = 60 * 2500 + 12 * 10000  # of the harness's usual answer at house-1's price


async def _mixed(calls: IntegratedHarness, random: Random) -> str:
    """One call of any kind."""
    team = {"team": random.choice("abc")}
    kind = random.randrange(10)
    if kind == 0:
        return await calls.whole(metadata=team)
    if kind == 1:
        return await calls.streamed(*STORY, metadata=team)
    if kind == 2:  # the provider breaks off
        return await calls.streamed(ROLE, word("Zoll "), word("haus "))
    if kind == 3:  # what is charged beyond the hold
        return await calls.streamed(ROLE, word("Zoll "), FINISH, MUCH, DONE)
    if kind == 4:  # nobody reported what was used
        return await calls.streamed(ROLE, word("Zoll "), FINISH, DONE)
    if kind == 5:
        return await calls.left(ROLE, word("Zoll "), word("haus "), word("am "), word("Weg "))
    if kind == 6:
        return await calls.call(FakeCallerConnection(asking(max_tokens=12)), refusing(500))
    if kind == 7:
        return await calls.call(FakeCallerConnection(asking("no-such-model")))
    if kind == 8:
        return await calls.whole(mode="test")
    return await calls.whole(user="ann", metadata=team)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_charges_on_receipts_are_those_of_ledger_usage_and_budgets(tmp_path: Path, seed: int) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock, usd="0.1")
        budget = await budgets.put(services, OPERATOR, amount_usd="5", window="day", account=calls.account_id)
        random = Random(seed)
        for _ in range(300):
            await _mixed(calls, random)
        total = tagged = refused = 0
        for request_id in calls.made:
            receipt = await receipts.show(services, OPERATOR, request_id)
            charge = receipt.call.charge
            amount = 0 if charge is None or receipt.call.mode == "test" else charge.amount
            assert sum(line.charge for line in receipt.lines) == amount
            assert (receipt.entry is not None) == (charge is not None)
            if receipt.entry is not None and charge is not None:
                assert receipt.entry.transfer.amount == charge.overrun - charge.amount
            total += amount
            tagged += amount * len(receipt.call.tags)
            refused += receipt.call.error == "insufficient_quota"
        assert total > 0
        assert refused > 10, "the money came to its end"
        day_ms = clock.ms - clock.ms % DAY_MS
        money = await services.rows.read(lambda tables: tables.ledger.money(calls.account_id))
        counter = await services.rows.read(lambda tables: tables.budgets.counter(budget.id, day_ms))
        assert money.spent == counter.spent == total
        assert services.counters.money(calls.account_id).spent == total
        for by in ("model", "key", "project", "day"):
            assert sum(one.charge for one in await usage.report(services, OPERATOR, by=by)) == total
        assert sum(one.charge for one in await usage.report(services, OPERATOR, by="tag")) == tagged

    run(tmp_path, scenario)


def test_a_receipt_says_what_the_call_met_and_what_it_left(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock, team="red")
        await budgets.put(services, OPERATOR, amount_usd="0.5", window="month", key=calls.keys["live"], model="house-*")
        await calls.whole()
        receipt = await receipts.show(services, OPERATOR, await calls.whole(metadata={"team": "blue", "x": "y"}))
        call = receipt.call
        assert call.charge is not None
        budget, money = call.counters
        assert (budget.level, budget.window, budget.limit, budget.model) == ("key", "month", 5 * 10**8, "house-*")
        assert (budget.spent, budget.held, budget.after) == (CHARGE, 0, 2 * CHARGE)
        assert (money.level, money.window, money.budget_id, money.limit) == ("account", "money", "", 10**9)
        assert (money.spent, money.held, money.after) == (CHARGE, 0, 2 * CHARGE)
        assert call.charge.held > CHARGE
        assert call.released == 0
        assert [(line.bucket, line.quantity, line.charge, line.price_id) for line in receipt.lines] == [
            ("input", 60, 150_000, "price_1"),
            ("output", 12, 120_000, "price_1"),
        ]
        assert receipt.last4 == calls.secrets["live"][-4:]
        assert call.tags == {"team": "blue", "x": "y"}, "the call's own tag goes before the key's"
        assert call.admitted_ms == call.settled_ms == 0

    run(tmp_path, scenario)


def test_what_was_held_for_a_call_that_failed_is_told_as_released(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock)
        receipt = await receipts.show(
            services, OPERATOR, await calls.call(FakeCallerConnection(asking()), refusing(500))
        )
        call = receipt.call
        assert (call.charge, receipt.lines, receipt.entry) == (None, (), None)
        assert call.released > 0
        assert [(one.spent, one.after) for one in call.counters] == [(0, 0)]

    run(tmp_path, scenario)


def test_a_call_that_a_counter_refused_says_how_it_stood(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock, usd="0.0001")
        call = (await receipts.show(services, OPERATOR, await calls.whole())).call
        assert (call.error, call.released) == ("insufficient_quota", 0)
        assert [(one.limit, one.spent, one.after) for one in call.counters] == [(100_000, 0, 0)]

    run(tmp_path, scenario)


def test_a_refund_stands_on_the_receipt(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock)
        request_id = await calls.whole()
        await credit.refund(services, OPERATOR, request_id, reason="sorry")
        receipt = await receipts.show(services, OPERATOR, request_id)
        assert receipt.given_back == CHARGE
        assert receipt.entry is not None
        assert receipt.entry.transfer.kind == "charge"

    run(tmp_path, scenario)


def test_a_call_of_somebody_elses_is_word_for_word_one_that_never_was(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock)
        other = await accounts.create(services, OPERATOR, name="other")
        second = (await keys.create(services, OPERATOR, name="second", account=calls.account_id)).key
        request_id = await calls.whole()
        mine, theirs = of_account(calls.account_id), of_account(other.id)
        assert (await receipts.show(services, mine, request_id, calls.keys["live"])).call.id == request_id
        told = []
        for actor, own_key, asked in (
            (theirs, None, request_id),
            (mine, second.id, request_id),
            (mine, None, request_id[:-1] + "7"),
            (OPERATOR, None, "req_nonsense"),
            (OPERATOR, None, ""),
        ):
            with pytest.raises(PathNotFound) as refused:
                await receipts.show(services, actor, asked, own_key)
            told.append(refused.value.message.replace(asked or "\0", "ID"))
        assert set(told[:4]) == {"no request ID"}

    run(tmp_path, scenario)


def test_the_secret_named_is_the_one_of_that_time(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock)
        before = await calls.whole()
        clock.ms += 1_000
        rotated = await keys.rotate(services, OPERATOR, calls.keys["live"], overlap_ms=60_000)
        old, calls.secrets["live"] = calls.secrets["live"], rotated.secret
        after = await calls.whole()
        assert (await receipts.show(services, OPERATOR, before)).last4 == old[-4:]
        assert (await receipts.show(services, OPERATOR, after)).last4 == rotated.secret[-4:]

    run(tmp_path, scenario)


def test_calls_are_found_by_account_key_model_status_and_time_page_by_page(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock)
        for _ in range(7):
            await calls.whole()
            await calls.call(FakeCallerConnection(asking("no-such-model")))
        await calls.whole(mode="test")
        started_ms = clock.ms

        async def found(after: str | None = None, count: int = 50, **asked: object) -> Page[UsageRecord]:
            wanted = receipts.wanted_by(services, OPERATOR, **asked)  # type: ignore[arg-type]
            return await receipts.list_page(services, wanted, after=after, count=count)

        assert [call.id for call in (await found()).records] == calls.made[::-1]
        assert len((await found(account="trader", key="live", model="house-1")).records) == 7
        assert len((await found(status="4xx")).records) == 7
        assert len((await found(status="404", model="house*")).records) == 0
        assert [call.mode for call in (await found(since_ms=started_ms)).records] == ["test"]
        first = await found(status="200", count=3)
        second = await found(status="200", count=5, after=first.next)
        assert [len(page.records) for page in (first, second)] == [3, 5]
        assert second.next is None
        good = [call.id for call in (await found(status="200")).records]
        assert [call.id for page in (first, second) for call in page.records] == good
        for status in ("", "4", "4x", "xxx", "2000", "٤٠٤"):
            with pytest.raises(BadRequest):
                await found(status=status)

    run(tmp_path, scenario)


def test_a_search_that_finds_little_stops_and_says_where_to_go_on(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        calls = await harness(services, clock)
        for _ in range(4):
            await calls.whole()
        wanted = ReceiptFilter(model="another")
        first = await receipts.list_page(services, wanted, most_looked_at=3)
        assert first.records == ()
        assert first.next is not None
        assert await receipts.list_page(services, wanted, after=first.next, most_looked_at=3) == Page(())

    run(tmp_path, scenario)

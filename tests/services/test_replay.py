"""Calls of the last days, charged again by a draft: exact to the nano-dollar, in portions, for whom it concerns."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, of_account, run
from tests.services.prices_brought import brought, file_of
from tollhouse.billing.charges import total
from tollhouse.billing.price_list import terms_of
from tollhouse.core.account import Account, KeyMode
from tollhouse.core.charge import Charge
from tollhouse.core.failure import BadRequest, PathNotFound, ScopeMissing
from tollhouse.core.ids import make_id
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Attempt, UsageRecord
from tollhouse.services import accounts, platform, price_lists, replay
from tollhouse.services.context import ServiceContext
from tollhouse.services.replay import Rerated

DAY_MS = 86_400_000
TIERED = {"input": "2", "output": "9", "tiers": [{"above_input_tokens": 1000, "input": "4", "output": "18"}]}


def call(
    services: ServiceContext, account: Account, usage: Usage, *, ago_ms: int = 0, model: str = "m", **changed: Any
) -> UsageRecord:
    """A call, charged as the gateway would have."""
    time_ms = services.clock.now_ms() - ago_ms
    price = services.prices.find(model, time_ms, terms_of(account))
    charge = Charge(amount=0, price_id=None)
    if price is not None:
        charge = Charge(amount=total(price, usage), price_id=price.id, multiplier_ppm=price.multiplier_ppm)
    made = UsageRecord(
        id=make_id("req", time_ms, services.random.bytes(10)),
        time_ms=time_ms,
        account_id=account.id,
        project_id="proj_1",
        key_id="key_1",
        mode="live",
        model=model,
        dialect="openai",
        operation="chat",
        stream=False,
        status=200,
        ending="finished",
        attempts=(Attempt(provider="up", model="m-up", start_ms=0, end_ms=1),),
        usage=usage,
        usage_source="upstream",
        charge=charge,
    )
    return structs.replace(made, **changed)


async def commit(services: ServiceContext, *calls: UsageRecord) -> None:
    store: Any = services.rows
    await asyncio.gather(*(store.writer.commit(one) for one in calls))


async def two_accounts(services: ServiceContext) -> tuple[Account, Account]:
    """One pays the list, one 1.2 times it."""
    await platform.apply(
        services, OPERATOR, file_of(m={"price": TIERED}, n={"price": {"input": "1"}}, f={"free": True})
    )
    one = await accounts.create(services, OPERATOR, name="one")
    other = await accounts.create(services, OPERATOR, name="other")
    return one, await accounts.change(services, OPERATOR, other.id, multiplier="1.2")


SMALL, LARGE = Usage(input=1000, output=1), Usage(input=1001, output=1)


def test_a_preview_is_what_the_calls_would_have_been_charged(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        clock.ms = NOW_MS + 10 * DAY_MS
        one, other = await two_accounts(services)
        clock.ms += 8 * DAY_MS
        test: KeyMode = "test"
        await commit(
            services,
            call(services, one, SMALL),
            call(services, one, LARGE, ago_ms=DAY_MS),
            call(services, other, LARGE),
            call(services, one, SMALL, model="n"),  # which the draft does not name
            call(services, one, SMALL, model="f"),  # which is free whatever a list says
            call(services, one, SMALL, ago_ms=8 * DAY_MS),  # before the days that are looked at
            call(services, one, SMALL, mode=test, charge=None),
            call(services, one, Usage(), charge=None, usage_source="none", status=502),
        )
        written = b"model,input,output,above_input_tokens\nm,3,9,\nm,3,20,1000\nf,9,,\n"
        draft = await brought(services, written)
        found = await replay.replay(services, OPERATOR, draft=draft.id)
        assert (found.looked_at, found.next, found.everybody) == (7, None, False)
        assert found.sums == tuple(
            sorted(
                (
                    Rerated(one.id, "m", 2, 2_009_000 + 4_022_000, 3_009_000 + 3_023_000, 2 * 1_004_000 + 1_000),
                    Rerated(other.id, "m", 1, 4_826_400, 3_627_600, 1_005_000),
                ),
                key=lambda row: row.account_id,
            )
        )
        only = await replay.replay(services, OPERATOR, draft=draft.id, account="other", days=1)
        assert [row.account_id for row in only.sums] == [other.id]
        assert found.sums == (await replay.replay(services, OPERATOR, draft=draft.id, days=8)).sums

    run(tmp_path, scenario)


def test_a_list_of_its_own_is_shown_for_those_who_buy_by_it_and_before_that_for_everybody(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        one, other = await two_accounts(services)
        await commit(services, call(services, one, SMALL), call(services, other, SMALL))
        draft = await brought(services, b"model,input,output\nm,3,9\n", "retail")
        found = await replay.replay(services, OPERATOR, draft=draft.id)
        assert (len(found.sums), found.everybody) == (2, True)
        await price_lists.activate(services, OPERATOR, draft.id)
        await accounts.change(services, OPERATOR, "other", price_list="retail")
        found = await replay.replay(services, OPERATOR, draft=draft.id)
        assert ([row.account_id for row in found.sums], found.everybody) == ([other.id], False)
        found = await replay.replay(services, OPERATOR, draft=draft.id, account="one")
        assert ([row.account_id for row in found.sums], found.everybody) == ([one.id], False)
        dearer = await brought(
            services, b"model,input\nm,9\n"
        )  # of the default list: whoever has his own does not care
        found = await replay.replay(services, OPERATOR, draft=dearer.id)
        assert [row.account_id for row in found.sums] == [one.id]
        leaving = await brought(services, b'{"m": null}')
        assert (await replay.replay(services, OPERATOR, draft=leaving.id)).sums == ()

    run(tmp_path, scenario)


def test_an_answer_covers_a_portion_and_says_where_to_go_on(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        one, _ = await two_accounts(services)
        clock.ms += 10
        await commit(services, *(call(services, one, SMALL, ago_ms=number // 2) for number in range(14)))
        draft = await brought(services, b"model,input,output\nm,3,9\n")
        looked_at, charged, again, after = [], 0, 0, None
        while True:
            found = await replay.replay(services, OPERATOR, draft=draft.id, after=after, portion=3, calls_max=6)
            looked_at.append(found.looked_at)
            charged += sum(row.charged for row in found.sums)
            again += sum(row.again for row in found.sums)
            after = found.next
            if after is None:
                break
        assert looked_at == [6, 6, 2]
        assert (charged, again) == (14 * 2_009_000, 14 * 3_009_000)

    run(tmp_path, scenario)


def test_margins_tell_what_calls_earned_and_cost(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        one, _ = await two_accounts(services)
        elsewhere = (Attempt(provider="nobody", model="x", start_ms=0, end_ms=1),)
        await commit(
            services,
            call(services, one, SMALL),
            call(services, one, SMALL, model="n"),
            call(services, one, SMALL, model="n", attempts=elsewhere),
            call(services, one, SMALL, model="f", attempts=()),
        )
        found = await replay.replay(services, OPERATOR)
        assert found.sums == (
            Rerated(one.id, "f", 1, 0, 0, None),
            Rerated(one.id, "m", 1, 2_009_000, 2_009_000, 1_004_000),
            Rerated(one.id, "n", 2, 2 * 1_001_000, 2 * 1_001_000, None),
        )

    run(tmp_path, scenario)


def test_what_cannot_be_previewed_is_refused(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        for days in (0, 91):
            with pytest.raises(BadRequest) as refused:
                await replay.replay(services, OPERATOR, days=days)
            assert refused.value.param == "days"
        with pytest.raises(PathNotFound):
            await replay.replay(services, OPERATOR, draft="draft_none")
        with pytest.raises(PathNotFound):
            await replay.replay(services, OPERATOR, account="nobody")
        with pytest.raises(ScopeMissing):
            await replay.replay(services, of_account("acc_1"))

    run(tmp_path, scenario)

"""What is told without a call that crosses a line: low balances, keys about to end, unusual spending; each once."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.services.fake_delivery import FakeDelivery
from tests.services.harness import NOW_MS, OPERATOR, SettableClock, of_account, run
from tests.services.test_money import call, commit
from tollhouse.core.account import Account
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.catalogue import Catalogue, Plan
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.services import accounts, budgets, credits, keys, outbox, watch  # noqa: A004 - the noun
from tollhouse.services.context import ServiceContext
from tollhouse.services.watch import WatchState, unusual


async def opened(services: ServiceContext, name: str = "mine", **more: Any) -> Account:
    return await accounts.create(services, OPERATOR, name=name, email="owner@example.org", **more)


async def spend(services: ServiceContext, number: int, account: Account, amount: int, time_ms: int) -> None:
    """What a call of the gateway leaves, in rows and in memory."""
    await commit(services, call(number, account.id, amount, time_ms=time_ms))
    services.counters.money(account.id).spent += amount


async def said(services: ServiceContext, seen: WatchState) -> list[dict[str, Any]]:
    """Look, send, and tell what left."""
    post = services.post = FakeDelivery()
    await watch.look(services, seen)
    while await outbox.deliver(services):
        pass
    assert len([one for one in post.sent if one.channel == "mail"]) * 2 == len(post.sent)
    return [json.loads(one.body) for one in post.sent if one.channel == "webhook"]


async def hooked(services: ServiceContext, account: Account) -> None:
    """A budget on the account whose webhook is told of everything about it."""
    await budgets.put(
        services, OPERATOR, amount_usd="1000", window="month", account=account.id, webhook="https://hooks.example/"
    )


def test_a_low_balance_is_told_once_until_something_is_put_in(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account = await opened(services)
        await hooked(services, account)
        await credits.grant(services, OPERATOR, account.id, "100")
        seen = WatchState()
        await spend(services, 1, account, 95 * USD, NOW_MS)
        assert await said(services, seen) == [], "5 USD are not below 5 USD"
        await spend(services, 2, account, 1, NOW_MS)
        (body,) = await said(services, seen)
        assert (body["type"], body["data"]) == (
            "balance.low",
            {"account": account.id, "available_usd": "4.999999999", "below_usd": "5"},
        )
        await spend(services, 3, account, USD, NOW_MS)
        assert await said(services, seen) == []
        assert await said(services, WatchState()) == [], "nor by a process that does not remember it"
        await credits.grant(services, OPERATOR, account.id, "100")
        assert await said(services, seen) == []
        await spend(services, 4, account, 100 * USD, NOW_MS)
        (body,) = await said(services, seen)
        assert body["data"]["available_usd"] == "3.999999999"

    run(tmp_path, scenario)


def test_of_a_small_account_a_tenth_is_little_and_of_some_nothing_is(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        small, credit = await opened(services), await opened(services, "credit", credit_limit_usd="10")
        endless, empty = (
            await opened(services, "endless", credit_limit_usd="unlimited"),
            await opened(services, "empty"),
        )
        for account in (small, credit, endless, empty):
            await hooked(services, account)
        await credits.grant(services, OPERATOR, small.id, "2")
        seen = WatchState()
        assert await said(services, seen) == []
        for number, (account, amount) in enumerate(
            ((small, USD * 18 // 10 + 1), (credit, 9 * USD + 1), (endless, 1000 * USD)), start=1
        ):
            await spend(services, number, account, amount, NOW_MS)
        told = {body["data"]["account"]: body["data"]["below_usd"] for body in await said(services, seen)}
        assert told == {small.id: "0.2", credit.id: "1"}
        services.catalogue = Catalogue(plans={"default": Plan(id="default", balance_below_usd="0")})
        assert list(watch.low_balances(services, NOW_MS)) == []

    run(tmp_path, scenario)


def test_a_key_is_told_of_seven_days_and_one_day_before_it_ends(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account = await opened(services)
        await hooked(services, account)
        owner, seen = of_account(account.id), WatchState()
        made = await keys.create(services, owner, name="ci", expires_at_ms=NOW_MS + 30 * DAY_MS)
        short = await keys.create(services, owner, name="short", expires_at_ms=NOW_MS + 2 * DAY_MS)
        await keys.create(services, owner, name="day", expires_at_ms=NOW_MS + DAY_MS)
        frozen = await keys.create(services, owner, name="frozen", expires_at_ms=NOW_MS + 30 * DAY_MS)
        await keys.create(services, owner, name="for ever")
        await keys.revoke(services, owner, frozen.key.id)

        async def days() -> list[tuple[str, int]]:
            bodies = await said(services, seen)
            assert {body["type"] for body in bodies} <= {"key.expiring"}
            return [(body["data"]["key"], body["data"]["days"]) for body in bodies]

        assert await days() == []
        clock.ms = NOW_MS + DAY_MS
        assert await days() == [(short.key.id, 1)], "not of a key that was made for a day"
        clock.ms = NOW_MS + 23 * DAY_MS - 1
        assert await days() == []
        clock.ms += HOUR_MS
        assert await days() == [(made.key.id, 7)]
        clock.ms += HOUR_MS
        assert await days() == []
        clock.ms = NOW_MS + 29 * DAY_MS + HOUR_MS
        assert await days() == [(made.key.id, 1)]
        await keys.rotate(services, owner, made.key.id, expires_at_ms=NOW_MS + 60 * DAY_MS)
        clock.ms = NOW_MS + 54 * DAY_MS
        assert await days() == [(made.key.id, 7)]
        clock.ms = NOW_MS + 60 * DAY_MS
        assert await days() == []

    run(tmp_path, scenario)


def test_after_a_long_absence_only_the_nearest_distance_is_told(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account = await opened(services)
        await hooked(services, account)
        await keys.create(services, of_account(account.id), name="ci", expires_at_ms=NOW_MS + 30 * DAY_MS)
        clock.ms = NOW_MS + 30 * DAY_MS - 1
        assert [body["data"]["days"] for body in await said(services, WatchState())] == [1]

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("today", "before", "usual"),
    [
        (3 * USD + 1, [USD] * 7, USD),
        (3 * USD, [USD] * 7, None),
        (30 * USD, [USD] * 6, None),
        (USD, [0] * 14, None),
        (USD + 1, [0] * 14, 0),
        (10 * USD, [USD] * 7 + [100 * USD] * 6, USD),
        (10 * USD, [USD] * 7 + [100 * USD] * 7, None),
    ],
)
def test_what_is_unusual(today: int, before: list[int], usual: int | None) -> None:
    assert unusual(today, before) == usual


def test_unusual_spending_is_told_once_a_day(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account, seen = await opened(services, credit_limit_usd="unlimited"), WatchState()
        await hooked(services, account)
        for day in range(8):
            await spend(services, day + 1, account, USD, NOW_MS + day * DAY_MS)
        clock.ms = NOW_MS + 8 * DAY_MS
        assert await said(services, seen) == []
        clock.ms += HOUR_MS
        await spend(services, 20, account, 3 * USD + 1, clock.ms)
        (body,) = await said(services, seen)
        assert (body["type"], body["data"]) == (
            "spend.unusual",
            {"account": account.id, "spent_usd": "3.000000001", "usual_usd": "1"},
        )
        await spend(services, 21, account, 10 * USD, clock.ms)
        clock.ms += HOUR_MS
        assert await said(services, seen) == []
        clock.ms += DAY_MS
        await spend(services, 22, account, 4 * USD, clock.ms)
        assert [body["type"] for body in await said(services, seen)] == ["spend.unusual"]

    run(tmp_path, scenario)


def test_the_first_week_of_an_account_is_never_unusual(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account, seen = await opened(services, credit_limit_usd="unlimited"), WatchState()
        await hooked(services, account)
        for day in range(7):
            clock.ms = NOW_MS + day * DAY_MS
            await spend(services, day + 1, account, (day + 1) * 100 * USD, clock.ms)
            assert await said(services, seen) == []

    run(tmp_path, scenario)

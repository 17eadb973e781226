"""Redeem codes: once, whoever tries; not by guessing; never told again."""

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, audited, run
from tests.services.test_money import owner_of, sound
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.failure import BadRequest, PathNotFound, RateLimited
from tollhouse.services import codes
from tollhouse.services.context import ServiceContext


def test_of_fifty_who_redeem_a_code_at_once_one_gets_its_money(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        owners = [await owner_of(services, f"account-{number}") for number in range(50)]
        (minted,) = await codes.create(services, OPERATOR, "5")
        told = await asyncio.gather(
            *(codes.redeem(services, owner, minted.secret) for _, owner in owners), return_exceptions=True
        )
        assert [type(one) for one in told if isinstance(one, BaseException)] == [BadRequest] * 49
        assert sorted(services.counters.money(account.id).limit or 0 for account, _ in owners) == [0] * 49 + [5 * USD]
        (kept,) = (await codes.list_page(services, OPERATOR)).records
        winner = next(account for account, _ in owners if services.counters.money(account.id).limit)
        assert (kept.redeemed_by, kept.redeemed_at_ms) == (winner.id, NOW_MS)
        redeemed = [row for row in await audited(services) if row.action == "code.redeem"]
        assert [(row.account_id, row.object_id) for row in redeemed] == [(winner.id, minted.code.id)]
        await sound(services)

    run(tmp_path, scenario)


def test_guesses_count_and_after_ten_nobody_is_told_whether_the_next_is_right(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        _, owner = await owner_of(services)
        (minted,) = await codes.create(services, OPERATOR, "5")
        for number in range(10):
            with pytest.raises(BadRequest):
                await codes.redeem(services, owner, f"guess {number}")
        for text in ("another", minted.secret):
            with pytest.raises(RateLimited) as caught:
                await codes.redeem(services, owner, text)
            assert caught.value.retry_after_ms == 6_000
        clock.ms += 6_000
        assert (await codes.redeem(services, owner, minted.secret)).balance == 5 * USD

    run(tmp_path, scenario)


def test_one_address_has_no_more_guesses_with_many_accounts(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        for number in range(11):
            _, owner = await owner_of(services, f"account-{number}")
            with pytest.raises(BadRequest if number < 10 else RateLimited):
                await codes.redeem(services, structs.replace(owner, address="203.0.113.9"), "guess")

    run(tmp_path, scenario)


def test_the_operator_redeems_for_an_account_that_he_names_as_often_as_he_likes(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, _ = await owner_of(services)
        await owner_of(services, "other")
        for minted in await codes.create(services, OPERATOR, "1", count=12):
            await codes.redeem(services, OPERATOR, minted.secret, "mine")
        assert services.counters.money(mine.id).limit == 12 * USD
        (minted,) = await codes.create(services, OPERATOR, "1")
        with pytest.raises(BadRequest, match="say which account"):
            await codes.redeem(services, OPERATOR, minted.secret)
        with pytest.raises(PathNotFound):
            await codes.redeem(services, OPERATOR, minted.secret, "nobody")

    run(tmp_path, scenario)

"""Redeem codes: once, whoever tries; not by guessing; never told again."""

import asyncio
from pathlib import Path

import pytest
from msgspec import structs

from tests.office.scene import NOW_MS, OPERATOR, HandClock, audited, run
from tests.office.test_money import owner_of, sound
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.failure import BadRequest, PathNotFound, RateLimited
from tollhouse.office import codes
from tollhouse.office.office import Office


def test_of_fifty_who_redeem_a_code_at_once_one_gets_its_money(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        owners = [await owner_of(office, f"account-{number}") for number in range(50)]
        (minted,) = await codes.create(office, OPERATOR, "5")
        told = await asyncio.gather(
            *(codes.redeem(office, owner, minted.secret) for _, owner in owners), return_exceptions=True
        )
        assert [type(one) for one in told if isinstance(one, BaseException)] == [BadRequest] * 49
        assert sorted(office.purses.money(account.id).limit or 0 for account, _ in owners) == [0] * 49 + [5 * USD]
        (kept,) = (await codes.list_page(office, OPERATOR)).records
        winner = next(account for account, _ in owners if office.purses.money(account.id).limit)
        assert (kept.redeemed_by, kept.redeemed_at_ms) == (winner.id, NOW_MS)
        redeemed = [row for row in await audited(office) if row.action == "code.redeem"]
        assert [(row.account_id, row.object_id) for row in redeemed] == [(winner.id, minted.code.id)]
        await sound(office)

    run(tmp_path, scene)


def test_guesses_count_and_after_ten_nobody_is_told_whether_the_next_is_right(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        _, owner = await owner_of(office)
        (minted,) = await codes.create(office, OPERATOR, "5")
        for number in range(10):
            with pytest.raises(BadRequest):
                await codes.redeem(office, owner, f"guess {number}")
        for text in ("another", minted.secret):
            with pytest.raises(RateLimited) as caught:
                await codes.redeem(office, owner, text)
            assert caught.value.retry_after_ms == 6_000
        clock.ms += 6_000
        assert (await codes.redeem(office, owner, minted.secret)).balance == 5 * USD

    run(tmp_path, scene)


def test_one_address_has_no_more_guesses_with_many_accounts(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        for number in range(11):
            _, owner = await owner_of(office, f"account-{number}")
            with pytest.raises(BadRequest if number < 10 else RateLimited):
                await codes.redeem(office, structs.replace(owner, address="203.0.113.9"), "guess")

    run(tmp_path, scene)


def test_the_operator_redeems_for_an_account_that_he_names_as_often_as_he_likes(tmp_path: Path) -> None:
    async def scene(office: Office, clock: HandClock) -> None:
        mine, _ = await owner_of(office)
        await owner_of(office, "other")
        for minted in await codes.create(office, OPERATOR, "1", count=12):
            await codes.redeem(office, OPERATOR, minted.secret, "mine")
        assert office.purses.money(mine.id).limit == 12 * USD
        (minted,) = await codes.create(office, OPERATOR, "1")
        with pytest.raises(BadRequest, match="say which account"):
            await codes.redeem(office, OPERATOR, minted.secret)
        with pytest.raises(PathNotFound):
            await codes.redeem(office, OPERATOR, minted.secret, "nobody")

    run(tmp_path, scene)

"""What a budget would have done in the last days, and the operator's budgets that one may not promise more than."""

from pathlib import Path
from typing import Any

import pytest

from tests.services.harness import NOW_MS, OPERATOR, SettableClock, of_account, run
from tests.services.test_money import call, commit, owner_of
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.failure import BadRequest, PathNotFound
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import budgets, keys
from tollhouse.services.context import ServiceContext
from tollhouse.services.rehearsal import DAYS, rehearse

TODAY_MS = NOW_MS - NOW_MS % DAY_MS


def test_a_daily_budget_counts_each_day_for_itself(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        for number, (days_ago, amount) in enumerate([(0, 3), (1, 2), (1, 1), (5, 2), (29, 3), (30, 9)]):
            await commit(services, call(number, mine.id, amount * USD, time_ms=TODAY_MS - days_ago * DAY_MS + 7))
        found = await rehearse(services, owner, amount_usd="3", window="day", account=mine.id)
        assert found.days == tuple(TODAY_MS - back * DAY_MS for back in (29, 1, 0))
        assert found.most == 3 * USD
        none = await rehearse(services, owner, amount_usd="3.000000001", window="day", account=mine.id)
        assert none.days == ()

    run(tmp_path, scenario)


def test_a_longer_window_stays_used_up_until_it_begins_anew(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        for number, back in enumerate((40, 20, 10)):
            await commit(services, call(number, mine.id, 2 * USD, time_ms=TODAY_MS - back * DAY_MS))
        total = await rehearse(services, owner, amount_usd="4", window="total", account=mine.id)
        assert len(total.days) == 11  # since ten days ago; what lies before the thirty days does not count
        week = await rehearse(services, owner, amount_usd="2", window="week", account=mine.id)
        assert 2 <= len(week.days) <= 14
        assert week.most == 2 * USD
        month = await rehearse(services, owner, amount_usd="0", window="month", account=mine.id)
        assert len(month.days) == DAYS

    run(tmp_path, scenario)


def test_only_calls_that_the_budget_would_count_are_counted(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        key = (await keys.create(services, owner, name="program")).key
        await commit(
            services,
            call(1, mine.id, USD, time_ms=TODAY_MS, key_id=key.id, project_id=key.project_id, model="gpt-4o"),
            call(2, mine.id, USD, time_ms=TODAY_MS, model="gpt-4o"),
            call(3, mine.id, USD, time_ms=TODAY_MS, model="other"),
        )
        on_key = await rehearse(services, owner, amount_usd="1", window="day", key=key.id)
        on_model = await rehearse(services, owner, amount_usd="1", window="day", account=mine.id, model="gpt-4*")
        assert (on_key.most, on_model.most) == (USD, 2 * USD)
        _, stranger = await owner_of(services, "theirs")
        with pytest.raises(PathNotFound):
            await rehearse(services, stranger, amount_usd="1", window="day", key=key.id)
        for wrong in ({"amount_usd": "-1"}, {"amount_usd": "x"}, {"window": "year"}):
            with pytest.raises(BadRequest):
                await rehearse(services, owner, **{"amount_usd": "1", "window": "day", "account": mine.id} | wrong)

    run(tmp_path, scenario)


def test_the_lowest_of_the_operators_budgets_above_is_the_ceiling(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        mine, owner = await owner_of(services)
        key = (await keys.create(services, owner, name="program")).key
        await budgets.put(services, OPERATOR, amount_usd="100", window="month", account=mine.id, system=True)
        await budgets.put(services, OPERATOR, amount_usd="30", window="month", key=key.id, system=True)
        await budgets.put(services, OPERATOR, amount_usd="9", window="day", account=mine.id, system=True)

        async def figure(amount: str, window: str, **place: Any) -> int | None:
            try:
                await budgets.put(services, of_account(mine.id), amount_usd=amount, window=window, **place)
            except BadRequest as refused:
                return int(refused.message.partition("above the ")[2].split()[0])
            return None

        assert await figure("101", "month", account=mine.id) == 100
        assert await figure("100", "month", account=mine.id) is None
        assert await figure("50", "month", key=key.id) == 30
        assert await figure("10", "day", key=key.id) == 9
        assert await figure("1000", "total", account=mine.id) is None
        assert await figure("30", "month", key=key.id) is None

    run(tmp_path, scenario)

"""Requests of one account wait for each other, and for nobody else's."""

import asyncio

import pytest

from tollhouse.core.failure import RateLimited
from tollhouse.edge.body_turns import AT_ONCE, WAITING_MAX, BodyTurns
from tollhouse.store.engines import READERS


def test_one_account_never_takes_all_reading_threads() -> None:
    assert AT_ONCE < READERS


def test_an_account_with_heavy_reports_waits_for_itself_and_another_is_answered_at_once() -> None:
    async def scenario() -> None:
        turns, end = BodyTurns(), asyncio.Event()
        at_work: list[str] = []

        async def report(account: str) -> None:
            with turns.line(account) as places:
                async with places:
                    at_work.append(account)
                    await end.wait()

        heavy = [asyncio.create_task(report("acc_a")) for _ in range(AT_ONCE + WAITING_MAX)]
        await asyncio.sleep(0)
        other = asyncio.create_task(report("acc_b"))
        await asyncio.sleep(0)
        assert at_work == ["acc_a"] * AT_ONCE + ["acc_b"]
        with pytest.raises(RateLimited, match="acc_a has 22 requests"):
            await report("acc_a")
        heavy[-1].cancel()
        await asyncio.sleep(0)
        late = asyncio.create_task(report("acc_a"))
        await asyncio.sleep(0)
        end.set()
        await asyncio.gather(*heavy[:-1], other, late)
        assert at_work.count("acc_a") == AT_ONCE + WAITING_MAX
        assert len(turns) == 0

    asyncio.run(scenario())

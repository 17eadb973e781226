"""Limits and holds as a shared store would keep them: every step waits, and others go on meanwhile."""

import asyncio
from collections.abc import Sequence
from typing import Any

from tests.gateway.fakes import FakeAdmittedCall, FakeParallelSlot, FakeRateLimiter
from tollhouse.billing import holds
from tollhouse.billing.holds import Hold, SpendingCounter
from tollhouse.billing.spending_counters import SpendingCounters
from tollhouse.core.account import ApiKey
from tollhouse.core.usage import Usage


class SharedHolds:
    """See `gateway.ports.Holds`."""

    def __init__(self, counters: SpendingCounters) -> None:
        self._counters = counters

    async def paying(self, key: ApiKey, now_ms: int, model: str | None = None) -> list[SpendingCounter]:
        await asyncio.sleep(0)
        found = self._counters.of(key, now_ms, model)
        await asyncio.sleep(0)
        return found

    async def hold(self, counters: Sequence[SpendingCounter], amount: int) -> Hold:
        await asyncio.sleep(0)
        held = holds.hold(counters, amount)
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            holds.release(held)
            raise
        return held

    async def settle(self, held: Hold, charge: int) -> None:
        holds.settle(held, charge)
        await asyncio.sleep(0)

    async def release(self, held: Hold) -> None:
        holds.release(held)
        await asyncio.sleep(0)


class SharedRateLimiter(FakeRateLimiter):
    """See `gateway.ports.RateLimiter`."""

    async def enter(self, *asked: Any) -> FakeParallelSlot:
        await asyncio.sleep(0)
        return await super().enter(*asked)

    async def admit(self, *asked: Any, **how: Any) -> FakeAdmittedCall:
        await asyncio.sleep(0)
        await super().admit(*asked, **how)
        return SharedAdmittedCall(self, asked[4])


class SharedAdmittedCall(FakeAdmittedCall):
    async def release(self, used: Usage, now_ms: int, *, refused: bool = False) -> None:
        await super().release(used, now_ms, refused=refused)
        await asyncio.sleep(0)

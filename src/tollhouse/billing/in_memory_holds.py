"""Holds in the memory of one process: the counters are there, so nothing waits."""

from collections.abc import Sequence

from tollhouse.billing import holds
from tollhouse.billing.holds import Hold, SpendingCounter
from tollhouse.billing.spending_counters import SpendingCounters
from tollhouse.core.account import ApiKey


class InMemoryHolds:
    """See `gateway.ports.Holds`. `counters`: put money and budgets there."""

    __slots__ = ("counters",)

    def __init__(self, counters: SpendingCounters | None = None) -> None:
        self.counters = SpendingCounters() if counters is None else counters

    async def paying(self, key: ApiKey, now_ms: int, model: str | None = None) -> list[SpendingCounter]:
        return self.counters.of(key, now_ms, model)

    async def hold(self, counters: Sequence[SpendingCounter], amount: int) -> Hold:
        return holds.hold(counters, amount)

    async def settle(self, held: Hold, charge: int) -> None:
        holds.settle(held, charge)

    async def release(self, held: Hold) -> None:
        holds.release(held)

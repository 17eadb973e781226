"""The gateway with limits and holds that wait at every step: as many calls are served as there is money, and whenever a
call ends, nothing of it stays reserved."""

import asyncio
from contextlib import suppress

import pytest

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream
from tests.gateway.harness import STORY, GatewayHarness, asking, buffered, run, streaming
from tests.gateway.shared_ports import SharedHolds, SharedRateLimiter
from tollhouse.core.failure import Failure
from tollhouse.gateway.connection import ClientDisconnected

CALLS = 50
STEPS = 40


def shared(money: int | None = None, *, stream: bool = False) -> GatewayHarness:
    play = streaming(*STORY) if stream else buffered()
    harness = GatewayHarness(FakeUpstream(play), limits=SharedRateLimiter(), money=money)
    harness.gateway.holds = SharedHolds(harness.counters)
    return harness


async def refused_with(harness: GatewayHarness, client: FakeCallerConnection) -> str:
    try:
        await harness.ask(client)
    except Failure as failure:
        return failure.code
    return ""


def test_as_many_calls_are_let_in_at_once_as_there_is_money() -> None:
    async def main() -> None:
        one = shared(10**12)
        await one.ask(FakeCallerConnection(asking(max_tokens=50)))
        worst = one.record.charge.held if one.record.charge is not None else 0
        harness = shared(7 * worst)
        clients = [FakeCallerConnection(asking(max_tokens=50)) for _ in range(CALLS)]
        codes = await asyncio.gather(*(refused_with(harness, client) for client in clients))
        served = codes.count("")
        assert set(codes) == {"", "insufficient_quota"}
        assert served >= 7, "what a served call leaves over may pay for another one"
        assert harness.counter.spent <= 7 * worst
        assert (harness.counter.held, harness.limits.inside) == (0, 0)

    run(main())


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_that_is_cancelled_anywhere_leaves_nothing_reserved(*, stream: bool) -> None:
    async def main() -> None:
        ended = set()
        for steps in range(STEPS):
            harness = shared(10**12, stream=stream)
            task = asyncio.ensure_future(harness.ask(FakeCallerConnection(asking(max_tokens=50, stream=stream))))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError, Failure, ClientDisconnected):
                await task
            ended.add(task.cancelled())
            assert (harness.counter.held, harness.limits.inside) == (0, 0), steps
        assert ended == {True, False}, "some were over before"

    run(main())

"""Charges that could not be made durable in time: a streamed answer is out, so its record is tried until it stands.

Until then the hold stays: the money is spoken for. Records are tried once a second, and once more when the process
ends in order; a crash forgives what waits, as it does calls in flight.
"""

import asyncio
from collections.abc import Awaitable

from tollhouse.billing.holds import Hold
from tollhouse.core.failure import Failure, Overloaded
from tollhouse.core.usage_record import UsageRecord
from tollhouse.gateway.hold import RequestHold
from tollhouse.gateway.ports import GatewayContext

PAUSE_SECONDS = 1.0


def write_later(gateway: GatewayContext, record: UsageRecord, held: RequestHold) -> None:
    """Begin to try. The task is kept by the platform, for a task that nobody holds may vanish."""
    task = asyncio.get_running_loop().create_task(_until_it_stands(gateway, record, held))
    gateway.deferred_commits.add(task)
    task.add_done_callback(gateway.deferred_commits.discard)


async def finish(gateway: GatewayContext) -> None:
    """The process ends: whatever waits is tried once more, now."""
    await asyncio.sleep(0)  # one that was made just now must have begun, or its cancellation is its end
    waiting = list(gateway.deferred_commits)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _until_it_stands(gateway: GatewayContext, record: UsageRecord, held: RequestHold) -> None:
    last = False
    while not last:
        try:
            await gateway.sleep(PAUSE_SECONDS)
        except asyncio.CancelledError:
            last = True
        try:
            await gateway.ledger.commit(record)
        except Overloaded:
            continue
        except Failure:  # it can never be written, so it is not charged: nobody's money waits for it
            if held.hold is not None:
                await gateway.holds.release(held.hold)
            return
        if held.hold is not None:
            await settle(gateway, held.hold, record)
        return


def settle(gateway: GatewayContext, hold: Hold, record: UsageRecord) -> Awaitable[None]:
    """End the hold of a call whose record is durable."""
    charge = record.charge
    return gateway.holds.release(hold) if charge is None else gateway.holds.settle(hold, charge.amount)

"""Charges that could not be made durable in time: a streamed answer is out, so its record is tried until it stands.

Until then the hold stays: the money is spoken for. Records are tried once a second, and once more when the process
ends in order; a crash forgives what waits, as it does calls in flight.
"""

import asyncio

from tollhouse.billing import book
from tollhouse.core.failure import Failure, Overloaded
from tollhouse.core.request import Request
from tollhouse.gateway.hold import Held
from tollhouse.gateway.ports import House

PAUSE_SECONDS = 1.0


def write_later(house: House, record: Request, held: Held) -> None:
    """Begin to try. The task is kept by the house, for a task that nobody holds may vanish."""
    task = asyncio.get_running_loop().create_task(_until_it_stands(house, record, held))
    house.late.add(task)
    task.add_done_callback(house.late.discard)


async def finish(house: House) -> None:
    """The process ends: whatever waits is tried once more, now."""
    await asyncio.sleep(0)  # one that was made just now must have begun, or its cancellation is its end
    waiting = list(house.late)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


async def _until_it_stands(house: House, record: Request, held: Held) -> None:
    last = False
    while not last:
        try:
            await house.sleep(PAUSE_SECONDS)
        except asyncio.CancelledError:
            last = True
        try:
            await house.ledger.commit(record)
        except Overloaded:
            continue
        except Failure:  # it can never be written, so it is not charged: nobody's money waits for it
            if held.hold is not None:
                book.release(held.hold)
            return
        settle(held, record)
        return


def settle(held: Held, record: Request) -> None:
    """End the hold of a call whose record is durable."""
    if held.hold is not None:
        if record.charge is None:
            book.release(held.hold)
        else:
            book.settle(held.hold, record.charge.amount)

"""Work on what a provider sent, which is as large as a caller can have it made: on the loop while it is small, else in
a thread, where accounts take turns."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from tollhouse.core.failure import Overloaded
from tollhouse.gateway.ports import GatewayContext

T = TypeVar("T")

LARGE_BYTES: Final = 256 * 1024
"""Beyond it an answer, or an event, is read in a thread: JSON of that size takes about a millisecond."""
COUNTED_BYTES_MAX: Final = 16 * 1024
"""Text that the loop counts at once: 0.5 ms, and 4 ms at the worst."""
PAUSE_SECONDS: Final = 0.1


async def worked(
    gateway: GatewayContext, account_id: str, size: int, work: Callable[[], T], size_max: int = LARGE_BYTES
) -> T:
    """What `work` on so many bytes returns. Raises what it raises; Overloaded where too much of the account waits.

    Who is cancelled waits for work that has begun in a thread: nobody else may touch what it works on.
    """
    if size <= size_max:
        return work()
    running = asyncio.ensure_future(gateway.threads.run(account_id, work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        raise


async def dropped(gateway: GatewayContext, account_id: str, drop: Callable[[], None]) -> None:
    """Have a thread drop what is large: giving 30 MiB back to the system takes 5 ms."""
    try:
        await gateway.threads.run(account_id, drop)
    except Overloaded:  # the account's own work waits: the loop does it
        drop()


async def counted_in_turn(gateway: GatewayContext, account_id: str, size: int, work: Callable[[], T]) -> T:
    """The same for a count, which cannot be refused: it waits until the account may have work waiting again."""
    while True:
        try:
            return await worked(gateway, account_id, size, work, COUNTED_BYTES_MAX)
        except Overloaded:
            await gateway.sleep(PAUSE_SECONDS)

"""Turns: how many requests about money and management one account may have at work at once.

They read the database in a few threads and change it in one: an account that asks for ten heavy reports waits for
itself, and nobody else waits for it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tollhouse.core.failure import RateLimited

AT_ONCE: Final = 2  # fewer than there are reading threads (`store.engines.READERS`)
WAITING_MAX: Final = 20
_RETRY_MS: Final = 1_000


class _TurnQueue:
    __slots__ = ("places", "size")

    def __init__(self) -> None:
        self.places = asyncio.Semaphore(AT_ONCE)
        self.size = 0  # at work and waiting


class BodyTurns:
    """At most AT_ONCE requests of an account are at work, and WAITING_MAX more wait, in the order in which they came.

    Accounts that ask nothing at the moment take no memory.
    """

    def __init__(self) -> None:
        self._queues: dict[str, _TurnQueue] = {}

    @contextmanager
    def line(self, account_id: str) -> Iterator[asyncio.Semaphore]:
        """Stand in the account's line while the block runs; who holds the semaphore is at work. Between both a body may
        be read: one that comes slowly keeps nobody from work. Raises RateLimited where the line is full."""
        queue = self._queues.setdefault(account_id, _TurnQueue())
        if queue.size >= AT_ONCE + WAITING_MAX:
            raise RateLimited(
                f"The account {account_id} has {queue.size} requests about its data at once, of which {AT_ONCE} are"
                " answered at a time: wait for their answers.",
                retry_after_ms=_RETRY_MS,
            )
        queue.size += 1
        try:
            yield queue.places
        finally:
            queue.size -= 1
            if not queue.size:
                del self._queues[account_id]

    def __len__(self) -> int:
        """Accounts that have something at work."""
        return len(self._queues)

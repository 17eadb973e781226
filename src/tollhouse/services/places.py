"""A queue for work in threads that anybody may ask for: few are at work at once, and few may wait."""

import asyncio
from types import TracebackType

from tollhouse.core.failure import Overloaded
from tollhouse.core.phrase import Phrase

_RETRY_AFTER_MS = 3_000


class Places:
    """Entered by who has work to do. Raises Overloaded where `waiting_max` wait already."""

    def __init__(self, at_once: int, waiting_max: int) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._waiting, self._waiting_max = 0, waiting_max

    async def __aenter__(self) -> None:
        if self._waiting >= self._waiting_max:
            raise Overloaded(
                Phrase("so many ask for this at this moment that yours was not looked at: try again in a few seconds"),
                retry_after_ms=_RETRY_AFTER_MS,
            )
        self._waiting += 1
        try:
            await self._places.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()

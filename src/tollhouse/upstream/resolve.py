"""Host names to addresses, by the system's resolver in the loop's threads.

An answer is kept for a few seconds, and callers who ask for the same name at once share one look-up, so that a burst of
new connections does not become a burst of threads. A failed look-up is not kept.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from tollhouse.core.clock import Clock

LookUp = Callable[[str, int], Awaitable[list[str]]]
"""Host and port to addresses, best first. Raises OSError (socket.gaierror) where the name has none."""

_KEEP_NS: Final = 5_000_000_000


async def system_look_up(host: str, port: int) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Resolver:
    def __init__(self, clock: Clock, look_up: LookUp) -> None:
        self._clock = clock
        self._look_up = look_up
        self._kept: dict[tuple[str, int], tuple[int, asyncio.Task[list[str]]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """Raises OSError where the name has no address."""
        now_ns = self._clock.ticks_ns()
        until_ns, asking = self._kept.get((host, port), (0, None))
        if asking is None or until_ns <= now_ns:
            asking = asyncio.ensure_future(self._ask(host, port))
            asking.add_done_callback(lambda task: self._drop_failed((host, port), task))
            self._kept[host, port] = (now_ns + _KEEP_NS, asking)
        return await asyncio.shield(asking)  # one caller's leaving must not take the answer from the others

    async def _ask(self, host: str, port: int) -> list[str]:
        return await self._look_up(host, port)

    def _drop_failed(self, name: tuple[str, int], task: asyncio.Task[list[str]]) -> None:
        if task.cancelled() or task.exception() is not None:
            self._kept.pop(name, None)

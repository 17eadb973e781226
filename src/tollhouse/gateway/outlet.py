"""The caller's end of a stream: its head, its parts, and a sign of life when the provider is silent.

Proxies on the way cut a connection on which nothing moves for long. One loop looks at all outlets once a second; one
that has been silent for 15 s gets a filler (for OpenAI an SSE comment, which clients skip). Only after the provider has
accepted the call: before that an error may still need its own status.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tollhouse.core.clock import Clock
from tollhouse.core.wire import Headers
from tollhouse.gateway.client import Client

SILENCE_NS: Final = 15_000_000_000
FILLER: Final = b": still working\n\n"
HEAD: Final[Headers] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would else collect the whole stream before passing it on
]


class Outlet:
    __slots__ = ("_client", "_headers", "filling", "moved_ns", "opened", "writing")

    def __init__(self, client: Client, headers: Headers, now_ns: int) -> None:
        self._client = client
        self._headers = headers
        self.moved_ns = now_ns
        self.opened = False
        self.writing = False  # the stream itself is being written, perhaps to a slow reader
        self.filling = False  # a filler is

    async def write(self, data: bytes, now_ns: int) -> None:
        """Send whole events; waits while the caller reads slowly."""
        self.writing = True
        if not self.opened:
            await self._open()
        await self._client.part(data)
        self.writing = False
        self.moved_ns = now_ns

    async def end(self, data: bytes) -> None:
        """Send the last part. Nothing may follow."""
        self.writing = True
        if not self.opened:
            await self._open()
        await self._client.end(data)

    async def break_off(self, data: bytes) -> None:
        """Send the last part of a stream that is not whole, and close the connection: clients that know no error event
        see that the body has no end. Nothing may follow."""
        self.writing = True
        if not self.opened:
            await self._open()
        await self._client.break_off(data)

    async def fill(self, now_ns: int) -> None:
        self.filling = True
        self.moved_ns = now_ns
        if not self.opened:
            await self._open()
        await self._client.part(FILLER)
        self.filling = False

    async def _open(self) -> None:
        self.opened = True
        await self._client.head(200, HEAD + self._headers)


class Pulse:
    def __init__(self, clock: Clock, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._clock = clock
        self._sleep = sleep
        self.outlets: set[Outlet] = set()
        self._fillings: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Never returns; `app.py` starts and cancels it."""
        while True:
            await self._sleep(1)
            await self.beat(self._clock.ticks_ns())

    async def beat(self, now_ns: int) -> None:
        """Each filler is written by itself: a caller who does not read holds up his own, nobody else's."""
        for outlet in self.outlets:
            if now_ns - outlet.moved_ns >= SILENCE_NS and not (outlet.writing or outlet.filling):
                filling = asyncio.ensure_future(outlet.fill(now_ns))
                self._fillings.add(filling)
                filling.add_done_callback(self._fillings.discard)
        await asyncio.sleep(0)

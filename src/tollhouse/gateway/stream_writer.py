"""The caller's end of a stream: its head, its parts, and a sign of life when the provider is silent.

Proxies on the way cut a connection on which nothing moves for long. One loop looks at all stream writers once a second;
one that has been silent for 15 s gets what its format has clients skip. Only after the provider
has accepted the call: before that an error may still need its own status.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from tollhouse.core.clock import Clock
from tollhouse.core.codec import StreamCodec
from tollhouse.core.upstream import Headers
from tollhouse.gateway.connection import CallerConnection

SILENCE_NS: Final = 15_000_000_000
HEAD: Final[Headers] = [
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),  # nginx would else collect the whole stream before passing it on
]


class StreamWriter:
    """`codec`: of what is written."""

    __slots__ = ("_client", "_headers", "codec", "moved_ns", "opened", "sending_keepalive", "writing")

    def __init__(self, client: CallerConnection, codec: StreamCodec, headers: Headers, now_ns: int) -> None:
        self._client = client
        self.codec = codec
        self._headers = headers
        self.moved_ns = now_ns
        self.opened = False
        self.writing = False  # the stream itself is being written, perhaps to a slow reader
        self.sending_keepalive = False  # a filler is

    async def write(self, data: bytes, now_ns: int) -> None:
        """Send whole events; waits while the caller reads slowly."""
        self.writing = True
        if not self.opened:
            await self._open()
        await self._client.send_chunk(data)
        self.writing = False
        self.moved_ns = now_ns

    async def finish(self, data: bytes) -> None:
        """Send the last part. Nothing may follow."""
        self.writing = True
        if not self.opened:
            await self._open()
        await self._client.finish(data)

    async def break_off(self, data: bytes) -> None:
        """Send the last part of a stream that is not whole, and close the connection: clients that know no error event
        see that the body has no end. Nothing may follow."""
        self.writing = True
        if not self.opened:
            await self._open()
        await self._client.break_off(data)

    async def send_keepalive(self, now_ns: int) -> None:
        self.sending_keepalive = True
        self.moved_ns = now_ns
        if not self.opened:
            await self._open()
        await self._client.send_chunk(self.codec.keepalive)
        self.sending_keepalive = False

    async def _open(self) -> None:
        self.opened = True
        await self._client.send_headers(200, [(b"content-type", self.codec.content_type), *HEAD, *self._headers])


class KeepAlive:
    def __init__(self, clock: Clock, sleep: Callable[[float], Awaitable[None]]) -> None:
        self._clock = clock
        self._sleep = sleep
        self.stream_writers: set[StreamWriter] = set()
        self._keepalives: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Never returns; `app.py` starts and cancels it."""
        while True:
            await self._sleep(1)
            await self.tick(self._clock.ticks_ns())

    async def tick(self, now_ns: int) -> None:
        """Each filler is written by itself: a caller who does not read holds up his own, nobody else's."""
        for stream_writer in self.stream_writers:
            if now_ns - stream_writer.moved_ns >= SILENCE_NS and not (
                stream_writer.writing or stream_writer.sending_keepalive
            ):
                filling = asyncio.ensure_future(stream_writer.send_keepalive(now_ns))
                self._keepalives.add(filling)
                filling.add_done_callback(self._keepalives.discard)
        await asyncio.sleep(0)

"""The real server in a thread of the test, with applications that tell what they were given."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import uvloop

from tollhouse.clock import SystemClock, SystemRandom
from tollhouse.core.failure import Failure, KeyRefused
from tollhouse.edge.asgi import Application, Receive, Scope, Send, serving
from tollhouse.edge.bounds import HttpLimits
from tollhouse.edge.connection import ServerConnection
from tollhouse.edge.exchange import Exchange
from tollhouse.edge.server import Server
from tollhouse.edge.sockets import ListenAddress

T = TypeVar("T")
LOOK_SECONDS = 0.002

QUICK = HttpLimits(header_seconds=1, silent_seconds=1, body_window_seconds=1, linger_seconds=1)


@dataclass
class Running:
    """A server that runs; `port` is the one of its first address."""

    server: Server
    loop: asyncio.AbstractEventLoop
    defects: list[BaseException]
    refused: list[Failure]
    port: int = 0

    def connections(self) -> list[ServerConnection]:
        """Those of the first address; ask on the loop."""
        return self.server.listeners[0].connections()

    def call(self, ask: Callable[[], T]) -> T:
        """Ask something on the server's own loop."""

        async def asked() -> T:
            return ask()

        return asyncio.run_coroutine_threadsafe(asked(), self.loop).result(20)

    def until(self, holds: Callable[[], object]) -> None:
        """Ask on the server's own loop, again and again, until it holds."""
        held = threading.Event()

        def look() -> None:
            if holds():
                held.set()
            else:
                self.loop.call_later(LOOK_SECONDS, look)

        self.loop.call_soon_threadsafe(look)
        assert held.wait(20)


def an_hour_later(server: Running) -> None:
    """The server looks at its connections once, as if what each waits for had begun an hour earlier."""

    def sweep() -> None:
        for connection in server.connections():
            connection.sweep(connection.waited_since_ns + 3600 * 10**9)

    server.call(sweep)


@contextmanager
def running(app: Application, limits: HttpLimits = QUICK, **options: Any) -> Iterator[Running]:
    """Ends with the block; what still runs then is cut off."""
    ready = threading.Event()
    found: list[Running] = []
    defects: list[BaseException] = []
    refused: list[Failure] = []

    def on_ready(names: list[Any]) -> None:
        found[0].port = names[0][1]
        ready.set()

    async def main() -> None:
        server = Server(
            [ListenAddress(app=serving(app))],
            clock=SystemClock(),
            random=SystemRandom(),
            limits=limits,
            on_ready=on_ready,
            defect=defects.append,
            refused=refused.append,
            **{"lame_duck_seconds": 0, "drain_seconds": 0, **options},
        )
        found.append(Running(server, asyncio.get_running_loop(), defects, refused))
        await server.run(signals=False)

    def work() -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(20)
    try:
        yield found[0]
    finally:
        found[0].loop.call_soon_threadsafe(found[0].server.begin_drain)
        thread.join(20)
        assert not thread.is_alive()


async def body_of(receive: Receive) -> bytes | None:
    """The whole body; None where the client leaves before its end."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message["body"])
        if not message["more_body"]:
            return b"".join(pieces)


async def reply(send: Send, status: int, body: bytes, *fields: tuple[bytes, bytes]) -> None:
    head = [(b"content-length", b"%d" % len(body)), *fields]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells what it was asked, so that nobody can take one request for another. `/refused` is so before its body."""
    if scope["path"] == "/refused":
        raise KeyRefused("no")
    body = await body_of(receive)
    if body is None:
        return
    told = {
        "method": scope["method"],
        "path": scope["path"],
        "raw_path": scope["raw_path"].decode("latin-1"),
        "query": scope["query_string"].decode("ascii"),
        "length": len(body),
        "start": body[:100].decode("latin-1"),
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
    }
    await reply(send, 200, json.dumps(told).encode())


def exchange_of(scope: Scope) -> Exchange:
    found = scope["extensions"]["tollhouse"]
    assert isinstance(found, Exchange)
    return found


async def stream(send: Send, pieces: AsyncIterator[bytes]) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})

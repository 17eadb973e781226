"""A process of its own that serves, so that a test can send it real signals.

`python -m tests.edge.draining_server SOCKET LAME_DUCK_SECONDS DRAIN_SECONDS` prints its port.
`/wait` answers in two halves, the second once SIGUSR1 has come.
"""

import asyncio
import signal
import sys
from typing import Any

import uvloop

from tests.edge.wire_server import mirror, reply
from tollhouse.clock import SystemClock, SystemRandom
from tollhouse.edge.asgi import Receive, Scope, Send, serving
from tollhouse.edge.drain import Draining
from tollhouse.edge.server import Server
from tollhouse.edge.sockets import ListenAddress


async def main(path: str, lame_duck_seconds: float, drain_seconds: float) -> None:
    go = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, go.set)
    draining = Draining()

    async def data(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/readyz":
            await reply(send, 503 if draining.flag else 200, b"")
        elif scope["path"] == "/wait":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"one", "more_body": True})
            await go.wait()
            await send({"type": "http.response.body", "body": b"two"})
        else:
            await mirror(scope, receive, send)

    async def control(scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, 200, b"draining" if draining.flag else b"serving")

    def on_ready(names: list[Any]) -> None:
        print(names[0][1], flush=True)

    await Server(
        [
            ListenAddress(app=serving(data)),
            ListenAddress(app=serving(control), path=path, serves_while_draining=True),
        ],
        clock=SystemClock(),
        random=SystemRandom(),
        draining=draining,
        lame_duck_seconds=lame_duck_seconds,
        drain_seconds=drain_seconds,
        on_ready=on_ready,
    ).run()
    print("stopped in order", flush=True)


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3])))

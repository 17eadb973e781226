"""The process at its front door: opens the listeners, watches every connection by one timer, and leaves in good order.

Order of leaving: at the first SIGTERM or SIGINT the readiness page says 503 and, for `lame_duck_seconds`, so does every
new request, while the listeners stay open and a load balancer looks elsewhere. Then the listeners close and what runs
has `drain_seconds` to end. A second signal ends everything at once; a third kills.
"""

import asyncio
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any, Final

import uvicorn

from tollhouse.core.clock import Clock
from tollhouse.core.failure import Failure
from tollhouse.core.randomness import Randomness
from tollhouse.edge.bounds import HttpLimits
from tollhouse.edge.connection import ServerConnection
from tollhouse.edge.connection_limiter import ConnectionLimiter, places
from tollhouse.edge.drain import Draining
from tollhouse.edge.listener_context import ListenerContext
from tollhouse.edge.refusal import RefusalWriter
from tollhouse.edge.sockets import BACKLOG, ListenAddress, bind

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)
_SWEEP_SECONDS_MAX: Final = 0.5
_LEAVING_SWEEP_SECONDS: Final = 0.02
_ACCEPTED_AT_ONCE: Final = 64
"""New connections that asyncio's own loop takes in one callback (uvloop takes one): its backlog is that number, too."""
_CANCELLED_SECONDS: Final = 2.0  # for what was cancelled to put its things in order


class Listener(uvicorn.Server):
    """uvicorn's server, of which accepting remains: signals, timers and the end are those of `Server`."""

    def __init__(self, address: ListenAddress, shared: ListenerContext) -> None:
        super().__init__(
            uvicorn.Config(
                address.app,
                http=partial(ServerConnection, shared=shared),  # type: ignore[arg-type]  # it only calls what stands here
                backlog=_ACCEPTED_AT_ONCE,
                ws="none",
                lifespan="off",
                interface="asgi3",
                proxy_headers=False,
                log_config=None,
                access_log=False,
            )
        )
        self.path = address.path
        self.shared = shared
        self.names: list[Any] = []

    async def open(self, sockets: list[socket.socket]) -> None:
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        self.names = [each.getsockname() for each in sockets]
        await self.startup(sockets=sockets)
        for each in sockets:
            each.listen(BACKLOG)

    def close(self) -> None:
        """Accept nobody any more; connections without a request end now, the others with their answer."""
        for each in self.servers:
            each.close()
        if self.path:
            Path(self.path).unlink(missing_ok=True)
        for connection in self.connections():
            connection.shutdown()

    def abort(self) -> None:
        for connection in self.connections():
            connection.break_off()
        for task in list(self.server_state.tasks):
            task.cancel()

    def connections(self) -> list[ServerConnection]:
        return [each for each in self.server_state.connections if isinstance(each, ServerConnection)]

    @property
    def is_empty(self) -> bool:
        return not self.server_state.connections and not self.server_state.tasks


class Server:
    """Serves several addresses in one process and on one loop, until it is told to leave."""

    def __init__(
        self,
        addresses: Sequence[ListenAddress],
        *,
        clock: Clock,
        random: Randomness,
        limits: HttpLimits | None = None,
        draining: Draining | None = None,
        lame_duck_seconds: float = 5,
        drain_seconds: float = 60,
        on_ready: Callable[[list[Any]], None] = lambda names: None,
        defect: Callable[[BaseException], None] = lambda error: None,
        refused: Callable[[Failure], None] = lambda failure: None,
        trusts: Callable[[str], bool] = lambda address: False,
        hung_up: Callable[[], None] = lambda: None,
    ) -> None:
        """on_ready: called once all listen, with each socket's name: (host, port, ...) or a path.
        defect: told of each exception that an application let through.
        refused: told of each failure that the listener itself, not an application, answered with.
        hung_up: called at each SIGHUP, which ends nothing.
        trusts: whether an address is a proxy's, which may have as many connections as there are."""
        self.draining = draining or Draining()
        self._addresses = addresses
        self._limits = limits or HttpLimits()
        self._clock = clock
        self._refusals = RefusalWriter(clock, random)
        self._lame_duck_seconds = lame_duck_seconds
        self._drain_seconds = drain_seconds
        self._on_ready = on_ready
        self._defect = defect
        self._refused = refused
        self._trusts = trusts
        self._hung_up = hung_up
        self.listeners: list[Listener] = []
        self._leave = asyncio.Event()
        self._end = asyncio.Event()
        self._empty = asyncio.Event()
        self._listening = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request is under way."""
        return not any(listener.server_state.tasks for listener in self.listeners)

    async def run(self, *, signals: bool = True) -> None:
        """Serve until `begin_drain` or a signal, then leave. Raises OSError where an address cannot be had.

        signals: take SIGTERM and SIGINT; only the main thread can.
        """
        loop = asyncio.get_running_loop()
        signals = signals and threading.current_thread() is threading.main_thread()
        for each in _SIGNALS if signals else ():
            loop.add_signal_handler(each, self.begin_drain)
        if signals:
            loop.add_signal_handler(signal.SIGHUP, self._hung_up)
        try:
            await self._open()
            self._sweep()
            self._on_ready([name for listener in self.listeners for name in listener.names])
            await self._leave.wait()
            await self._drain()
        finally:
            self._close()
            if self._timer is not None:
                self._timer.cancel()
            for each in (*_SIGNALS, signal.SIGHUP) if signals else ():
                loop.remove_signal_handler(each)

    def begin_drain(self) -> None:
        """On the loop. The first call begins to leave; the second ends at once."""
        if self.draining.flag:
            self._end.set()
        self.draining.flag = True
        self._leave.set()

    async def _open(self) -> None:
        self._listening = True
        for address in self._addresses:
            shared = ListenerContext(
                app=address.app,
                limits=self._limits,
                draining=self.draining,
                serves_while_draining=address.serves_while_draining,
                clock=self._clock,
                refusals=self._refusals,
                defect=self._defect,
                refused=self._refused,
                connection_limiter=ConnectionLimiter(
                    places(self._limits.connections_max), self._limits.connections_per_address_max, self._trusts
                ),
            )
            sockets = await bind(address)
            listener = Listener(address, shared)
            await listener.open(sockets)
            self.listeners.append(listener)

    async def _drain(self) -> None:
        if not await _happens(self._end, self._lame_duck_seconds):
            self._close()
            self._again(_LEAVING_SWEEP_SECONDS)
            ended = asyncio.ensure_future(self._end.wait())
            emptied = asyncio.ensure_future(self._empty.wait())
            await asyncio.wait((ended, emptied), timeout=self._drain_seconds, return_when=asyncio.FIRST_COMPLETED)
            ended.cancel()
            emptied.cancel()
        self._close()
        tasks = [task for listener in self.listeners for task in listener.server_state.tasks]
        for listener in self.listeners:
            listener.abort()
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCELLED_SECONDS)

    def _close(self) -> None:
        if self._listening:
            self._listening = False
            for listener in self.listeners:
                listener.close()

    def _sweep(self) -> None:
        """The one timer: every connection is looked at in turn, and the date is renewed."""
        now_ns = self._clock.ticks_ns()
        date = b"\r\ndate: " + formatdate(self._clock.now_ms() // 1000, usegmt=True).encode()
        for listener in self.listeners:
            listener.shared.date = date
            for connection in listener.connections():
                connection.sweep(now_ns)
        if not self._listening and all(listener.is_empty for listener in self.listeners):
            self._empty.set()
        quickest = min(self._limits.header_seconds, self._limits.silent_seconds, self._limits.body_window_seconds)
        self._again(min(_SWEEP_SECONDS_MAX, quickest / 10) if self._listening else _LEAVING_SWEEP_SECONDS)

    def _again(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, self._sweep)


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    """Whether an event happens within a time."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True

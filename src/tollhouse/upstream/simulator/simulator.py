"""The simulator as an upstream: pace, faults by script, and the same port as the network."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, cast, get_args

from tollhouse.core.clock import Clock
from tollhouse.core.failure import BadRequest, UpstreamBroke, UpstreamError, UpstreamTimeout
from tollhouse.core.operation import Operation
from tollhouse.core.tokens import TextCounter
from tollhouse.core.upstream import Deadlines, Headers, TakePiece, UpstreamRequest
from tollhouse.core.workers import APART_BYTES, WorkerProcesses, WorkerThreads
from tollhouse.formats.openai import failure as failures
from tollhouse.upstream.simulator import beside_text, simulated_request
from tollhouse.upstream.simulator.bounds import LIGHT_BODY
from tollhouse.upstream.simulator.composer import SimulatedBody, compose, is_light, require_room, tokens_in
from tollhouse.upstream.simulator.script import MODEL_PREFIX, Script, parse

Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds."""

COUNTERS_MAX: Final = 10_000
_TURN: Final = 4  # pieces given without a pause before others get a turn


class Simulator:
    """See `core.upstream.Upstream`. `sent` counts calls, `aborted` those whose caller did not want the rest."""

    def __init__(
        self, count: TextCounter, clock: Clock, sleep: Sleep, threads: WorkerThreads, processes: WorkerProcesses
    ) -> None:
        self._count = count
        self._clock = clock
        self._sleep = sleep
        self._threads = threads
        self._processes = processes
        self._struck: dict[tuple[str, str], int] = {}
        self.sent = 0
        self.aborted = 0

    async def send(self, call: UpstreamRequest) -> "SimulatedAnswer":
        """Also raises the failure that a script's `error=` names: it is to reach the caller as it is."""
        self.sent += 1
        try:
            script = self._script(call)
        except BadRequest as failure:
            return self._answer(_refused(failure), Script(), call.deadlines)
        failure_asked = script.failure()
        if failure_asked is not None:
            raise failure_asked
        await self._first_byte(script.first_byte_ms, call.deadlines)
        try:
            composed = await self._compose(call, script)
        except BadRequest as failure:
            composed = _refused(failure)
        return self._answer(composed, script, call.deadlines)

    async def _compose(self, call: UpstreamRequest, script: Script) -> SimulatedBody:
        """What is large is read and made aside. Raises BadRequest."""
        operation, body, who = _operation(call.operation), call.body, call.scripted_for
        size, now_s = call.length(), self._clock.now_ms() // 1000
        if operation in beside_text.OPERATIONS:
            whole = b"".join((body, *call.rest))
            return await self._threads.run(
                who, lambda: beside_text.compose(operation, whole, call.upload, script, self._count, now_s)
            )
        if size <= LIGHT_BODY:
            wanted = simulated_request.read(body, operation)
        elif size <= APART_BYTES:
            wanted = await self._threads.run(who, lambda: simulated_request.read(body, operation))
        else:
            wanted = await self._threads.run(
                who, lambda: self._processes.call(simulated_request.read, (body, *call.rest), operation)
            )
        read = await tokens_in(wanted, self._count, who)
        if script.status in (None, 200):
            require_room(wanted, read, call.context_tokens, call.max_output_tokens)
        if size <= LIGHT_BODY and is_light(wanted, script):  # an answer follows from every byte of its prompt
            return compose(wanted, script, self._count, read, now_s)
        return await self._threads.run(who, lambda: compose(wanted, script, self._count, read, now_s))

    def _script(self, call: UpstreamRequest) -> Script:
        """What is to happen this time. Raises BadRequest."""
        text = call.script
        if not text and call.model.startswith(MODEL_PREFIX):
            text = call.model.removeprefix(MODEL_PREFIX)
        if not text:
            return Script()
        script = parse(text)
        return script if self.strikes(script, call.scripted_for) else script.without_faults()

    def strikes(self, script: Script, scripted_for: str) -> bool:
        """Whether the script's fault happens this time, counted: `times` in a row, then once not. The oldest of too
        many counters begins anew."""
        if script.times is None:
            return True
        counter = (scripted_for, script.text)
        struck = self._struck.pop(counter, 0)
        if struck == script.times:
            return False
        self._struck[counter] = struck + 1
        if len(self._struck) > COUNTERS_MAX:
            del self._struck[next(iter(self._struck))]
        return True

    async def _first_byte(self, wait_ms: int, deadlines: Deadlines) -> None:
        if not wait_ms:
            return
        limit_ms = min(deadlines.first_byte_ms, deadlines.total_ms)
        try:
            await self._sleep(min(wait_ms, limit_ms) / 1000)
        except asyncio.CancelledError:
            self.aborted += 1
            raise
        if wait_ms > limit_ms:
            raise UpstreamTimeout("The provider took too long to answer.")

    def _answer(self, composed: SimulatedBody, script: Script, deadlines: Deadlines) -> "SimulatedAnswer":
        return SimulatedAnswer(self, composed, script, deadlines, self._sleep)


class SimulatedAnswer:
    """See `core.upstream.UpstreamResponse`. Each read gives one chunk."""

    def __init__(
        self, simulator: Simulator, composed: SimulatedBody, script: Script, deadlines: Deadlines, sleep: Sleep
    ) -> None:
        self.status: int = composed.status
        self.headers: Headers = list(composed.headers)
        self._simulator = simulator
        self._pieces = iter(composed.pieces)
        self._ahead = next(self._pieces, None)
        self._cut_after = composed.cut_after
        self._broken = composed.broken
        self._pace_ms = script.chunk_ms
        self._deadlines = deadlines
        self._left_ms = deadlines.total_ms - script.first_byte_ms
        self._sleep = sleep
        self._sleeping: asyncio.Future[None] | None = None
        self._next = 0
        self._closed = False

    async def read(self, take: TakePiece | None = None) -> bytes:
        self._must_be_open()
        at, piece = self._next, self._ahead
        if piece is None:
            if self._broken:
                raise _broke()
            return b""
        if at == self._cut_after:
            raise _broke()
        if self._pace_ms and at:
            await self._pause(self._pace_ms)
        elif at % _TURN == _TURN - 1:
            await asyncio.sleep(0)
        self._must_be_open()
        self._next, self._ahead = at + 1, next(self._pieces, None)
        return piece

    def abort(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._ahead is not None and self._next != self._cut_after:
            self._simulator.aborted += 1
        if self._sleeping is not None:
            self._sleeping.cancel()

    def release(self) -> None:
        """There is no connection that could serve again: what is left is forgotten."""
        self._closed = True

    async def _pause(self, wait_ms: int) -> None:
        """Wait for the next chunk, as long as the deadlines allow, unless aborted meanwhile."""
        limit_ms = min(self._deadlines.idle_ms, max(0, self._left_ms))
        self._left_ms -= wait_ms
        self._sleeping = sleeping = asyncio.ensure_future(self._sleep(min(wait_ms, limit_ms) / 1000))
        try:
            await asyncio.wait([sleeping])
        finally:
            sleeping.cancel()
            self._sleeping = None
        self._must_be_open()
        if wait_ms > limit_ms:
            raise UpstreamTimeout("The provider fell silent.")

    def _must_be_open(self) -> None:
        if self._closed:
            raise UpstreamBroke("The connection to the provider was closed.")


def _broke() -> UpstreamBroke:
    return UpstreamBroke("The provider broke off its answer.")


def _operation(name: str) -> Operation:
    if name not in get_args(Operation):
        raise UpstreamError(f"The simulator does not offer {name[:40]!r}.")
    return cast(Operation, name)


def _refused(failure: BadRequest) -> SimulatedBody:
    """A 400 as the provider words it."""
    return SimulatedBody(failure.status, [(b"content-type", b"application/json")], [failures.body(failure, "")])

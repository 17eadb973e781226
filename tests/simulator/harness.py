"""A simulator with a clock that stands still and sleeps that are only noted, and calls to it."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tollhouse.core.failure import UpstreamBroke
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Deadlines, UpstreamRequest, UpstreamResponse, UpstreamRoute
from tollhouse.core.workers import InlineWorkers, T
from tollhouse.tokens.tokenizer import Tokenizer
from tollhouse.upstream.simulator.simulator import Simulator

CHAT: dict[str, Any] = {"model": "sim-1", "messages": [{"role": "user", "content": "What does the gate say?"}]}
ROUTE = UpstreamRoute(scheme="http", host="simulator.invalid", port=80)


class StandingClock:
    """2026-01-01T00:00Z, for ever."""

    def now_ms(self) -> int:
        return 1_767_225_600_000

    def ticks_ns(self) -> int:
        return 0


class RecordingWorkers(InlineWorkers):
    """Large work, with the accounts that it was done for."""

    def __init__(self) -> None:
        self.asked_by: list[str] = []

    async def run(self, account_id: str, work: Callable[[], T]) -> T:
        self.asked_by.append(account_id)
        return work()


@dataclass
class SimulatorHarness:
    threads: RecordingWorkers = field(default_factory=RecordingWorkers)
    slept: list[float] = field(default_factory=list)  # seconds

    def __post_init__(self) -> None:
        self.simulator = Simulator(Tokenizer(), StandingClock(), self._sleep, self.threads, self.threads)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(main)

    async def send(
        self,
        body: dict[str, Any],
        script: str = "",
        operation: Operation = "chat",
        key: str = "key_a",
        deadlines: Deadlines | None = None,
    ) -> UpstreamResponse:
        call = self.outgoing(msgspec.json.encode(body), operation, deadlines)
        call.model, call.script, call.scripted_for = body.get("model", ""), script, key
        return await self.simulator.send(call)

    def outgoing(
        self, body: bytes, operation: Operation = "chat", deadlines: Deadlines | None = None
    ) -> UpstreamRequest:
        return UpstreamRequest(ROUTE, b"POST", b"/v1/x", [], body, deadlines or Deadlines(), operation)

    def whole(self, body: dict[str, Any], script: str = "", operation: Operation = "chat") -> "SimulatedReply":
        """The answer read to its end, however that comes."""
        return self.run(self._told(body, script, operation))

    async def _told(self, body: dict[str, Any], script: str, operation: Operation) -> "SimulatedReply":
        answer = await self.send(body, script, operation)
        told = SimulatedReply(answer.status, dict(answer.headers))
        try:
            while piece := await answer.read():
                told.pieces.append(piece)
        except UpstreamBroke:
            told.broken = True
        return told


@dataclass
class SimulatedReply:
    status: int
    headers: dict[bytes, bytes]
    pieces: list[bytes] = field(default_factory=list)
    broken: bool = False

    @property
    def bytes(self) -> bytes:
        return b"".join(self.pieces)

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.bytes)

    @property
    def events(self) -> list[Any]:
        """The data of each event but `[DONE]`."""
        lines = [line[6:] for line in self.bytes.split(b"\n") if line.startswith(b"data: ")]
        return [msgspec.json.decode(line) for line in lines if line != b"[DONE]"]

    @property
    def error(self) -> Any:
        return self.json["error"]

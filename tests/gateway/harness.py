"""A gateway set up for one test: two providers, one model with an offer at each, a caller, and his calls."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.gateway.fakes import (
    FakeCallerConnection,
    FakeClock,
    FakeKeyDirectory,
    FakeObserver,
    FakeRateLimiter,
    FakeUpstream,
    FakeUsageRecorder,
    FakeWorkers,
    Piece,
    ScriptedResponse,
    Words,
    Zeros,
    identity,
)
from tollhouse.billing.in_memory_holds import InMemoryHolds
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.billing.spending_counters import SpendingCounters
from tollhouse.core.catalogue import Catalogue, Model, Offer, Provider
from tollhouse.core.operation import Operation
from tollhouse.core.upstream import Deadlines, Headers, Upstream, UpstreamRoute
from tollhouse.core.usage_record import UsageRecord
from tollhouse.formats import codecs
from tollhouse.gateway.bodies import Bodies
from tollhouse.gateway.connection import Call
from tollhouse.gateway.destination import Destination, hidden
from tollhouse.gateway.flow import serve
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.route import SIMULATED
from tollhouse.gateway.stream_writer import KeepAlive
from tollhouse.providers import kinds
from tollhouse.routing.health import Health
from tollhouse.routing.retry import RetryBudget

GATEWAY_1 = {"input": "2.50", "cache_read": "1.25", "output": "10.00"}
PRICES = PriceLists([read_price(GATEWAY_1, id="price_1", model="house-1")])
SEARCHED = PriceLists([read_price({**GATEWAY_1, "per_search": "0"}, id="price_1", model="house-1")])
"""Searches cost nothing there; elsewhere they are not sold."""
LIVE = "sk-th-live-" + "4" * 43 + "LIVE00"
TEST = "sk-th-test-" + "4" * 43 + "TEST00"
NOTHING_STREAMS: Headers = [(b"content-type", b"application/json")]
STREAMS: Headers = [(b"content-type", b"text/event-stream")]
DONE = b"data: [DONE]\n\n"
SECONDS_MAX = 20


def event(**members: Any) -> bytes:
    return b"data: " + json.dumps({"id": "c1", "model": "up", **members}, separators=(",", ":")).encode() + b"\n\n"


def word(text: str) -> bytes:
    return event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": None}])


ROLE = event(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
FINISH = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
CUT = event(choices=[{"index": 0, "delta": {}, "finish_reason": "length"}])
USAGE = event(choices=[], usage={"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72})
OVERLOADED = b'data: {"error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'
STORY = (ROLE, word("Zoll "), word("haus "), FINISH, USAGE, DONE)


def answer(text: str = "Zoll haus", finish: str = "stop", **members: Any) -> bytes:
    message = {"role": "assistant", "content": text}
    usage = {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    return json.dumps({"id": "c1", "object": "chat.completion", "choices": choices, "usage": usage, **members}).encode()


def streaming(*pieces: Piece) -> ScriptedResponse:
    return ScriptedResponse(headers=STREAMS, pieces=pieces)


def buffered(*pieces: Piece) -> ScriptedResponse:
    return ScriptedResponse(headers=NOTHING_STREAMS, pieces=pieces or (answer(),))


def refusing(
    status: int, error: dict[str, object] | None = None, *, body: bytes = b"<html>no</html>", **headers: str
) -> ScriptedResponse:
    """error: in OpenAI's form; else `body` as it stands."""
    body = body if error is None else json.dumps({"error": error}).encode()
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return ScriptedResponse(status=status, headers=named, pieces=(body,))


def asking(model: str = "house-1", **members: object) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "hi there"}], **members}).encode()


@dataclass
class GatewayHarness:
    """`first` and `second` are the upstreams of the providers one and two, in the order they are tried."""

    first: FakeUpstream = field(default_factory=lambda: FakeUpstream(buffered()))
    second: FakeUpstream = field(default_factory=lambda: FakeUpstream(buffered()))
    test_mode_endpoints: Upstream = field(default_factory=lambda: FakeUpstream(buffered()))
    keys_of_first: tuple[str, ...] = ("sk-one",)
    provider: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    limits: FakeRateLimiter = field(default_factory=FakeRateLimiter)
    retries: RetryBudget = field(default_factory=RetryBudget)
    health: Health = field(default_factory=Health)
    drain_seconds_max: int = 600
    money: int | None = None  # nano-USD that the account has; None: without a limit
    prices: PriceLists = PRICES

    def __post_init__(self) -> None:
        self.clock = FakeClock()
        self.ledger = FakeUsageRecorder()
        self.observer = FakeObserver()
        self.keys = FakeKeyDirectory(identity(LIVE), identity(TEST, "test"))
        self.slept: list[float] = []
        self.calls = 0
        self.counters = SpendingCounters()
        offers = (Offer(provider="one", model="up-one"), Offer(provider="two", model="up-two", priority=1))
        model = Model(id="house-1", **{"offers": offers, "context_tokens": 1000, "price": GATEWAY_1, **self.model})
        self.gateway = GatewayContext(
            clock=self.clock,
            random=Zeros(),
            codecs=codecs(),
            keys=self.keys,
            limits=self.limits,
            ledger=self.ledger,
            observer=self.observer,
            health=self.health,
            retries=self.retries,
            count=Words(),
            sleep=self._sleep,
            threads=FakeWorkers(),
            processes=FakeWorkers(),
            bodies=Bodies(self.clock),
            answers=Bodies(self.clock),
            uploads=Bodies(self.clock),
            keep_alive=KeepAlive(self.clock, self._sleep),
            test_mode_endpoints={
                SIMULATED: _destination(Provider(id=SIMULATED, kind="simulator"), self.test_mode_endpoints, ())
            },
            drain_seconds_max=self.drain_seconds_max,
            catalogue=Catalogue(generation=1, models={model.id: model}),
            destinations={
                "one": _destination(self._provider("one"), self.first, self.keys_of_first),
                "two": _destination(self._provider("two"), self.second, ("sk-two",)),
            },
            prices=lambda: self.prices,
            holds=InMemoryHolds(self.counters),
        )
        self.counter = self.counters.put_money(identity(LIVE).account.id, self.money)

    def _provider(self, name: str) -> Provider:
        return Provider(**{"id": name, "kind": "openai_compatible", **self.provider})

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def call(
        self,
        client: FakeCallerConnection,
        operation: Operation = "chat",
        *,
        key: str = LIVE,
        headers: Headers | None = None,
    ) -> Call:
        self.calls += 1
        return Call(
            id=f"req_{self.calls}",
            arrived_ms=self.clock.now_ms(),
            time_ms=self.clock.now_ms(),
            ticks_ns=self.clock.ticks_ns(),
            dialect="openai",
            operation=operation,
            headers=[(b"authorization", b"Bearer " + key.encode()), *(headers or [])],
            query=b"",
            address="192.0.2.7",
            client=client,
        )

    async def ask(self, client: FakeCallerConnection, operation: Operation = "chat", **how: Any) -> None:
        await serve(self.gateway, self.call(client, operation, **how))

    @property
    def record(self) -> UsageRecord:
        """The record of the only call; the observer saw the same."""
        (record,) = self.ledger.records
        assert self.observer.records == [record]
        return record

    @property
    def answers_settled(self) -> bool:
        return all(one.settled for upstream in (self.first, self.second) for one in upstream.answers)


def _destination(provider: Provider, upstream: Upstream, keys: tuple[str, ...]) -> Destination:
    kind = kinds()[provider.kind]
    return Destination(
        provider,
        kind,
        upstream,
        UpstreamRoute("http", "up.example", 80),
        "/v1",
        keys,
        Deadlines(),
        hidden(keys, provider.headers),
    )


def run(main: Coroutine[Any, Any, None]) -> None:
    """Bounded: a test that hangs says where."""

    async def bounded() -> None:
        async with asyncio.timeout(SECONDS_MAX):
            await main

    asyncio.run(bounded())


async def turns(count: int = 10) -> None:
    """Let everything that can happen by itself happen."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until it holds."""
    while not holds():  # noqa: ASYNC110 - the fakes have no events of their own
        await asyncio.sleep(0)

"""A gateway set up for one test: two providers, one model with an offer at each, a caller, and his calls."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.gateway.fakes import (
    Clock,
    FakeClient,
    FakeKeys,
    FakeLedger,
    FakeLimits,
    FakeUpstream,
    FakeWitness,
    Inline,
    Piece,
    Play,
    Words,
    Zeros,
    identity,
)
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.core.catalogue import Catalogue, Model, Offer, Provider
from tollhouse.core.operation import Operation
from tollhouse.core.request import Request
from tollhouse.core.wire import Deadlines, Headers, Route, Upstream
from tollhouse.gateway.bodies import Bodies
from tollhouse.gateway.client import Call
from tollhouse.gateway.destination import Destination, hidden
from tollhouse.gateway.flow import serve
from tollhouse.gateway.outlet import Pulse
from tollhouse.gateway.ports import House
from tollhouse.gateway.route import SIMULATED
from tollhouse.providers import kinds
from tollhouse.routing.health import Health
from tollhouse.routing.retry import RetryBudget

HOUSE_1 = {"input": "2.50", "cache_read": "1.25", "output": "10.00"}
PRICES = PriceLists([read_price(HOUSE_1, id="price_1", model="house-1")])
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


def streaming(*pieces: Piece) -> Play:
    return Play(headers=STREAMS, pieces=pieces)


def buffered(*pieces: Piece) -> Play:
    return Play(headers=NOTHING_STREAMS, pieces=pieces or (answer(),))


def refusing(status: int, error: dict[str, object] | None = None, **headers: str) -> Play:
    body = b"<html>no</html>" if error is None else json.dumps({"error": error}).encode()
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Play(status=status, headers=named, pieces=(body,))


def asking(model: str = "house-1", **members: object) -> bytes:
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "hi there"}], **members}).encode()


@dataclass
class Stage:
    """`first` and `second` are the upstreams of the providers one and two, in the order they are tried."""

    first: FakeUpstream = field(default_factory=lambda: FakeUpstream(buffered()))
    second: FakeUpstream = field(default_factory=lambda: FakeUpstream(buffered()))
    rehearsal: Upstream = field(default_factory=lambda: FakeUpstream(buffered()))
    keys_of_first: tuple[str, ...] = ("sk-one",)
    provider: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    limits: FakeLimits = field(default_factory=FakeLimits)
    retries: RetryBudget = field(default_factory=RetryBudget)
    health: Health = field(default_factory=Health)
    drain_seconds_max: int = 600
    money: int | None = None  # nano-USD that the account has; None: without a limit

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.ledger = FakeLedger()
        self.witness = FakeWitness()
        self.keys = FakeKeys(identity(LIVE), identity(TEST, "test"))
        self.slept: list[float] = []
        self.calls = 0
        offers = (Offer(provider="one", model="up-one"), Offer(provider="two", model="up-two", priority=1))
        model = Model(id="house-1", **{"offers": offers, "context_tokens": 1000, "price": HOUSE_1, **self.model})
        self.house = House(
            clock=self.clock,
            random=Zeros(),
            keys=self.keys,
            limits=self.limits,
            ledger=self.ledger,
            witness=self.witness,
            health=self.health,
            retries=self.retries,
            count=Words(),
            sleep=self._sleep,
            aside=Inline(),
            apart=Inline(),
            bodies=Bodies(self.clock),
            answers=Bodies(self.clock),
            pulse=Pulse(self.clock, self._sleep),
            rehearsal={SIMULATED: _destination(Provider(id=SIMULATED, kind="simulator"), self.rehearsal, ())},
            drain_seconds_max=self.drain_seconds_max,
            catalogue=Catalogue(generation=1, models={model.id: model}),
            destinations={
                "one": _destination(self._provider("one"), self.first, self.keys_of_first),
                "two": _destination(self._provider("two"), self.second, ("sk-two",)),
            },
            prices=lambda: PRICES,
        )
        self.purse = self.house.purses.put_money(identity(LIVE).account.id, self.money)

    def _provider(self, name: str) -> Provider:
        return Provider(**{"id": name, "kind": "openai_compatible", **self.provider})

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def call(
        self, client: FakeClient, operation: Operation = "chat", *, key: str = LIVE, headers: Headers | None = None
    ) -> Call:
        self.calls += 1
        return Call(
            id=f"req_{self.calls}",
            time_ms=self.clock.now_ms(),
            ticks_ns=self.clock.ticks_ns(),
            dialect="openai",
            operation=operation,
            headers=[(b"authorization", b"Bearer " + key.encode()), *(headers or [])],
            query=b"",
            address="192.0.2.7",
            client=client,
        )

    async def ask(self, client: FakeClient, operation: Operation = "chat", **how: Any) -> None:
        await serve(self.house, self.call(client, operation, **how))

    @property
    def record(self) -> Request:
        """The record of the only call; the witness saw the same."""
        (record,) = self.ledger.records
        assert self.witness.records == [record]
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
        Route("http", "up.example", 80),
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

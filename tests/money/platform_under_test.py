"""The real platform, from the services to the disk, with puppets where the checker would be. It can be killed and
opened."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.gateway.fakes import (
    FakeCallerConnection,
    FakeObserver,
    FakeRateLimiter,
    FakeUpstream,
    FakeWorkers,
    ScriptedResponse,
    Words,
)
from tests.money.fakes import Dice, FakeDisk, FakeProvider, KilledVault, Loop, ManualClock
from tests.support.databases import put_database
from tollhouse.billing.in_memory_holds import InMemoryHolds
from tollhouse.core.audit import Actor
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.catalogue import Provider as Named
from tollhouse.core.ids import RANDOM_BYTES, make_id
from tollhouse.core.upstream import Deadlines, Headers, Upstream, UpstreamRoute
from tollhouse.formats import codecs
from tollhouse.gateway.bodies import Bodies
from tollhouse.gateway.connection import Call
from tollhouse.gateway.destination import Destination
from tollhouse.gateway.flow import serve
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.route import SIMULATED
from tollhouse.gateway.stream_writer import KeepAlive
from tollhouse.providers import kinds
from tollhouse.routing.health import Health
from tollhouse.routing.retry import RetryBudget
from tollhouse.services import expiry, platform
from tollhouse.services.context import ServiceContext
from tollhouse.store.database import Store
from tollhouse.store.engines import connect
from tollhouse.store.readers import Readers
from tollhouse.store.writer import Writer

OPERATOR = Actor(kind="operator", id="control socket", address="10.0.0.1")
DRAIN_SECONDS_MAX = 30
REHEARSED = b'{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},\
"finish_reason":"stop"}],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}'


REHEARSED_USAGE: Final[Mapping[str, int]] = {"input": 7, "output": 2}


class PlatformUnderTest:
    """`wanted` is what its platform.toml would say."""

    def __init__(self, folder: Path, clock: ManualClock, loop: Loop, wanted: Catalogue, seed: int) -> None:
        self.folder, self.clock, self.loop = folder, clock, loop
        self.dice = Dice(seed)
        self.disk = FakeDisk()
        self.wanted = wanted
        self.provider = FakeProvider()
        self.observer = FakeObserver()
        self.limits = FakeRateLimiter()

    async def open(self) -> None:
        """As `app.serve` does."""
        engines = connect(put_database(self.folder), Path())
        self.disk.watch(engines.writing)
        clock = self.clock
        self.store = store = Store(engines, Writer(engines.writing, clock), Readers(engines, clock))
        self.vault = KilledVault(store.writer)
        self.services = services = ServiceContext(
            rows=store,
            directory=await store.load_directory(),
            clock=clock,
            random=self.dice,
            catalogue=await store.load_catalogue(),
            counters=await store.load_counters(clock.now_ms()),
            prices=await store.load_prices(),
            rules=await store.load_limits(),
        )
        test_mode_endpoints: Upstream = FakeUpstream(
            ScriptedResponse(headers=[(b"content-type", b"application/json")], pieces=(REHEARSED,))
        )
        self.platform = GatewayContext(
            clock=clock,
            random=self.dice,
            codecs=codecs(),
            keys=services.directory,
            limits=self.limits,
            ledger=self.vault,
            observer=self.observer,
            health=Health(),
            retries=RetryBudget(reserve=1_000_000),
            count=Words(),
            sleep=asyncio.sleep,
            threads=FakeWorkers(),
            processes=FakeWorkers(),
            bodies=Bodies(clock),
            answers=Bodies(clock),
            uploads=Bodies(clock),
            keep_alive=KeepAlive(clock, asyncio.sleep),
            test_mode_endpoints={SIMULATED: _destination(Named(id=SIMULATED, kind="simulator"), test_mode_endpoints)},
            drain_seconds_max=DRAIN_SECONDS_MAX,
            holds=InMemoryHolds(services.counters),
            prices=lambda: services.prices,
        )
        services.prepare = self._prepare
        await platform.apply(services, OPERATOR, self.wanted)
        self._prepare(services.catalogue)()
        await expiry.post_due(services, OPERATOR)

    def _prepare(self, catalogue: Catalogue) -> Callable[[], None]:
        destinations = {name: _destination(named, self.provider) for name, named in catalogue.providers.items()}

        def put_in_force() -> None:
            self.platform.catalogue, self.platform.destinations = catalogue, destinations

        return put_in_force

    def call(self, client: FakeCallerConnection, key: str, headers: Headers) -> Call:
        now_ms = self.clock.now_ms()
        return Call(
            id=make_id("req", now_ms, self.dice.bytes(RANDOM_BYTES)),
            arrived_ms=now_ms,
            time_ms=now_ms,
            ticks_ns=self.clock.ticks_ns(),
            dialect="openai",
            operation="chat",
            headers=[(b"authorization", b"Bearer " + key.encode()), *headers],
            query=b"",
            address="192.0.2.7",
            client=client,
        )

    async def serve(self, call: Call) -> None:
        for name in self.platform.destinations:
            self.platform.health.forget(name)  # what a provider did to others is another story
        await serve(self.platform, call)

    async def quiet(self) -> None:
        """Until everything that can happen by itself has happened."""
        await self.loop.quiet()
        while self.vault.busy:
            await self.vault.idle()
            await self.loop.quiet()

    async def kill(self) -> None:
        """What is in memory is lost, and nothing more is written."""
        self.vault.killed = True
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.close()

    async def close(self) -> None:
        self.disk.mood = "well"
        await self.store.close()


def _destination(named: Named, upstream: Upstream) -> Destination:
    kind: Any = kinds()[named.kind]
    return Destination(named, kind, upstream, UpstreamRoute("http", "up.example", 80), "/v1", (), Deadlines())

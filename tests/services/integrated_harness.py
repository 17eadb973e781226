"""A platform that trades: the gateway's harness with the services' own keys, limits, counters and prices, on a real
store."""

import asyncio
from contextlib import suppress
from typing import Any

from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, Piece, ScriptedResponse
from tests.gateway.harness import PRICES, GatewayHarness, asking, buffered, streaming
from tests.services.harness import OPERATOR, SettableClock
from tollhouse.billing.in_memory_holds import InMemoryHolds
from tollhouse.core.failure import Failure
from tollhouse.core.ids import make_id
from tollhouse.gateway.connection import ClientDisconnected
from tollhouse.gateway.flow import serve
from tollhouse.routing.health import Health
from tollhouse.services import accounts, keys
from tollhouse.services import credits as credit
from tollhouse.services.context import ServiceContext


class IntegratedHarness:
    """Calls of one account, made one after another a millisecond apart. Open it with `harness`."""

    def __init__(self, services: ServiceContext, clock: SettableClock) -> None:
        self.services, self.clock = services, clock
        self.harness = GatewayHarness()
        gateway = self.harness.gateway
        services.prices = PRICES
        services.catalogue = structs.replace(gateway.catalogue, plans=services.catalogue.plans)
        gateway.catalogue = services.catalogue
        gateway.keys, gateway.limits = services.directory, services.rate_limiter
        gateway.holds = InMemoryHolds(services.counters)
        gateway.ledger = services.rows.writer  # type: ignore[attr-defined]
        self.account_id = ""
        self.keys: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.made: list[str] = []

    async def call(
        self, client: FakeCallerConnection, *plays: ScriptedResponse, mode: str = "live", **headers: str
    ) -> str:
        """The id of a call, whatever becomes of it. `plays`: what each provider does."""
        harness = self.harness
        self.clock.ms += 1
        harness.clock.ms = self.clock.ms
        harness.gateway.health = Health()
        if plays:
            harness.first.plays, harness.second.plays = list(plays), list(plays)
        call = harness.call(client, key=self.secrets[mode])
        call.id = make_id("req", call.time_ms, len(self.made).to_bytes(10, "big"))
        call.headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        self.made.append(call.id)
        with suppress(Failure, ClientDisconnected):
            await serve(harness.gateway, call)
        return call.id

    async def whole(self, mode: str = "live", **members: Any) -> str:
        return await self.call(FakeCallerConnection(asking(max_tokens=12, **members)), buffered(), mode=mode)

    async def streamed(self, *pieces: Piece, **members: Any) -> str:
        return await self.call(FakeCallerConnection(asking(stream=True, max_tokens=12, **members)), streaming(*pieces))

    async def left(self, *pieces: Piece) -> str:
        """The caller is gone once so much of his stream has come; the rest never comes."""
        client = FakeCallerConnection(asking(stream=True, max_tokens=12))
        return await self.call(client, streaming(*pieces, client.leave, asyncio.Event()))


async def harness(services: ServiceContext, clock: SettableClock, usd: str = "1", **tags: str) -> IntegratedHarness:
    """An account with so much money, and a live and a test key that carry these tags."""
    made = IntegratedHarness(services, clock)
    account = await accounts.create(services, OPERATOR, name="trader")
    await credit.grant(services, OPERATOR, account.id, usd)
    made.account_id = account.id
    for mode in ("live", "test"):
        key = await keys.create(services, OPERATOR, name=mode, account=account.id, mode=mode, tags=tags)
        made.keys[mode], made.secrets[mode] = key.key.id, key.secret
    return made

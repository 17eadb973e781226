"""A house that trades: the gateway's stage with the office's own keys, limits, purses and prices, on a real store."""

import asyncio
from contextlib import suppress
from typing import Any

from msgspec import structs

from tests.gateway.fakes import FakeClient, Piece, Play
from tests.gateway.stage import PRICES, Stage, asking, buffered, streaming
from tests.office.scene import OPERATOR, HandClock
from tollhouse.core.failure import Failure
from tollhouse.core.ids import make_id
from tollhouse.gateway.client import ClientLeft
from tollhouse.gateway.flow import serve
from tollhouse.office import accounts, keys
from tollhouse.office import credits as credit
from tollhouse.office.office import Office
from tollhouse.routing.health import Health


class Trade:
    """Calls of one account, made one after another a millisecond apart. Open it with `trade`."""

    def __init__(self, office: Office, clock: HandClock) -> None:
        self.office, self.clock = office, clock
        self.stage = Stage()
        house = self.stage.house
        office.prices = PRICES
        office.catalogue = structs.replace(house.catalogue, plans=office.catalogue.plans)
        house.catalogue = office.catalogue
        house.keys, house.limits, house.purses = office.directory, office.gate, office.purses
        house.ledger = office.rows.writer  # type: ignore[attr-defined]
        self.account_id = ""
        self.keys: dict[str, str] = {}
        self.secrets: dict[str, str] = {}
        self.made: list[str] = []

    async def call(self, client: FakeClient, *plays: Play, mode: str = "live", **headers: str) -> str:
        """The id of a call, whatever becomes of it. `plays`: what each provider does."""
        stage = self.stage
        self.clock.ms += 1
        stage.clock.ms = self.clock.ms
        stage.house.health = Health()
        if plays:
            stage.first.plays, stage.second.plays = list(plays), list(plays)
        call = stage.call(client, key=self.secrets[mode])
        call.id = make_id("req", call.time_ms, len(self.made).to_bytes(10, "big"))
        call.headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        self.made.append(call.id)
        with suppress(Failure, ClientLeft):
            await serve(stage.house, call)
        return call.id

    async def whole(self, mode: str = "live", **members: Any) -> str:
        return await self.call(FakeClient(asking(max_tokens=12, **members)), buffered(), mode=mode)

    async def streamed(self, *pieces: Piece, **members: Any) -> str:
        return await self.call(FakeClient(asking(stream=True, max_tokens=12, **members)), streaming(*pieces))

    async def left(self, *pieces: Piece) -> str:
        """The caller is gone once so much of his stream has come; the rest never comes."""
        client = FakeClient(asking(stream=True, max_tokens=12))
        return await self.call(client, streaming(*pieces, client.leave, asyncio.Event()))


async def trade(office: Office, clock: HandClock, usd: str = "1", **tags: str) -> Trade:
    """An account with so much money, and a live and a test key that carry these tags."""
    made = Trade(office, clock)
    account = await accounts.create(office, OPERATOR, name="trader")
    await credit.grant(office, OPERATOR, account.id, usd)
    made.account_id = account.id
    for mode in ("live", "test"):
        key = await keys.create(office, OPERATOR, name=mode, account=account.id, mode=mode, tags=tags)
        made.keys[mode], made.secrets[mode] = key.key.id, key.secret
    return made

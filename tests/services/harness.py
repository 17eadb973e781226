"""services on a real store in a folder of its own, a clock that is turned by hand, and who asks."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeVar

from msgspec import structs

from tests.channels import CHANNELS
from tests.support.databases import put_database
from tests.support.quick_hashing import quick_hashing
from tollhouse.access import judge
from tollhouse.access.credentials import Presented
from tollhouse.access.secrets import digest
from tollhouse.clock import SystemRandom
from tollhouse.core.account import Identity
from tollhouse.core.audit import Actor, AuditRow
from tollhouse.core.catalogue import Catalogue, Plan
from tollhouse.core.channel import Channels
from tollhouse.limits.kind import LimitKindSpec
from tollhouse.services import keys
from tollhouse.services.context import ServiceContext
from tollhouse.store.database import Store, open_store

T = TypeVar("T")

NOW_MS = 1_790_000_000_000
OPERATOR = Actor(kind="operator", id="control socket", address="10.0.0.1")

PLANS = Catalogue(
    plans={
        "default": Plan(id="default", credit_limit_usd="0"),
        "team": Plan(id="team", credit_limit_usd="unlimited"),
        "trial": Plan(id="trial", credit_limit_usd="2.50"),
    }
)


class SettableClock:
    def __init__(self) -> None:
        self.ms = NOW_MS

    def now_ms(self) -> int:
        return self.ms

    def ticks_ns(self) -> int:
        return self.ms * 1_000_000


def run(
    folder: Path,
    scenario: Callable[[ServiceContext, SettableClock], Awaitable[T]],
    *,
    channels: Channels = CHANNELS,
    kinds: Sequence[LimitKindSpec] | None = None,
) -> T:
    """Open, play, close; played again in the same folder, it is a restart."""

    async def whole() -> T:
        clock = SettableClock()
        store: Store = open_store(put_database(folder), create=False, clock=clock, channels=channels)
        services = ServiceContext(
            rows=store,
            directory=await store.load_directory(),
            clock=clock,
            random=SystemRandom(),
            catalogue=PLANS,
            counters=await store.load_counters(clock.now_ms()),
            prices=await store.load_prices(),
            rules=await store.load_limits(kinds),
            channels=channels,
            hashing=quick_hashing(),
        )
        keys.watch_first_uses(services)
        try:
            return await scenario(services, clock)
        finally:
            await services.finish()
            await store.close()

    return asyncio.run(whole())


def of_account(account_id: str) -> Actor:
    return Actor(kind="admin_key", id="key_admin", account_id=account_id)


def enter(services: ServiceContext, secret: str, address: str = "203.0.113.7") -> Identity:
    """What the gateway does with a secret. Raises KeyRefused and NotPermitted."""
    identity = judge.judge(
        services.directory.find(digest(secret)),
        presented=Presented(secret, "Authorization"),
        now_ms=services.clock.now_ms(),
        address=address,
        needs=judge.CALL,
    )
    services.directory.used(identity, "curl 8.5", services.clock.now_ms())
    return identity


async def audited(services: ServiceContext, object_id: str | None = None) -> list[AuditRow]:
    """Oldest first."""
    rows = await services.rows.read(lambda tables: tables.audit.page(before=None, limit=500, object_id=object_id))
    return [structs.replace(row, id="") for row in reversed(rows)]

"""The services over a database that is open: what it holds, in memory."""

from collections.abc import Iterable

from tollhouse.access.vault import Vault
from tollhouse.core.clock import Clock
from tollhouse.core.randomness import Randomness
from tollhouse.services.context import ServiceContext
from tollhouse.settings import Settings
from tollhouse.store.database import Store


async def loaded(
    store: Store,
    settings: Settings,
    clock: Clock,
    random: Randomness,
    vault: Vault,
    *,
    dialects: Iterable[str],
    contact: str = "",
) -> ServiceContext:
    """dialects: those in which calls are asked. contact: whom messages name who can raise a limit. Raises BadPrice for
    a price that was not written here."""
    return ServiceContext(
        rows=store,
        directory=await store.load_directory(),
        clock=clock,
        random=random,
        catalogue=await store.load_catalogue(),
        drains=await store.load_drains(),
        counters=await store.load_counters(clock.now_ms()),
        prices=await store.load_prices(),
        rules=await store.load_limits(),
        channels=store.channels,
        contact=contact,
        support_mails=settings.support.mails,
        retention_days=settings.server.request_retention_days,
        ticket_retention_days=settings.support.ticket_retention_days,
        dialects=tuple(dialects),
        languages=settings.platform.languages,
        public_url=settings.platform.public_url,
        sign_up=settings.platform.sign_up,
        vault=vault,
    )

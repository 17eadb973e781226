"""Once a minute, what memory need not hold is dropped, and grants whose time is over end."""

import asyncio

from tollhouse.core.audit import Actor
from tollhouse.core.failure import Overloaded
from tollhouse.edge.event_log import EventLog
from tollhouse.gateway.ports import GatewayContext
from tollhouse.services import expiry
from tollhouse.services.context import ServiceContext


async def run(gateway: GatewayContext, services: ServiceContext, actor: Actor, event_log: EventLog) -> None:
    """Never returns."""
    while True:
        await asyncio.sleep(60)
        now_ms = gateway.clock.now_ms()
        gateway.forget_idle(now_ms)
        services.forget_idle(now_ms)
        try:
            await expiry.post_due(services, actor)
        except Overloaded:
            continue  # the database is away: calls hear of it too, and the next minute does the rest
        except Exception as error:  # guard: one account's defect must not keep the platform untidy for good
            event_log.defect("", error)

"""The platform where no server runs: what a call would pass through, to be looked at. No call passes."""

import asyncio

from tollhouse.billing.in_memory_holds import InMemoryHolds
from tollhouse.core.usage_record import UsageRecord
from tollhouse.core.workers import InlineWorkers
from tollhouse.formats import codecs
from tollhouse.gateway.bodies import Bodies
from tollhouse.gateway.ports import GatewayContext
from tollhouse.gateway.stream_writer import KeepAlive
from tollhouse.routing.health import Health
from tollhouse.routing.retry import RetryBudget
from tollhouse.services.context import ServiceContext
from tollhouse.tokens.tokenizer import Tokenizer


class NoCalls:
    """Ledger and observer of a platform that nobody calls."""

    @property
    def trouble(self) -> str | None:
        return "no server runs"

    def note(self, record: UsageRecord) -> None:
        """No call comes here."""

    async def commit(self, record: UsageRecord) -> None:
        raise AssertionError("no call passes through a platform at rest")

    def on_finished(self, record: UsageRecord) -> None:
        raise AssertionError("no call passes through a platform at rest")

    def troubled(self, request_id: str, provider: str, model: str, words: str) -> None:
        raise AssertionError("no call passes through a platform at rest")

    def refused(self, record: UsageRecord) -> None:
        raise AssertionError("no call passes through a platform at rest")


def at_rest(services: ServiceContext) -> GatewayContext:
    """As a server would find it at its start: nothing held, nothing used in this minute, no provider asked."""
    nobody, at_once = NoCalls(), InlineWorkers()
    return GatewayContext(
        clock=services.clock,
        random=services.random,
        codecs=codecs(),
        keys=services.directory,
        limits=services.rate_limiter,
        ledger=nobody,
        observer=nobody,
        health=Health(),
        retries=RetryBudget(),
        count=Tokenizer(),
        sleep=asyncio.sleep,
        threads=at_once,
        processes=at_once,
        bodies=Bodies(services.clock),
        answers=Bodies(services.clock),
        uploads=Bodies(services.clock),
        keep_alive=KeepAlive(services.clock, asyncio.sleep),
        test_mode_endpoints={},
        show_provider=False,
        contact=services.contact,
        holds=InMemoryHolds(services.counters),
        prices=lambda: services.prices,
        catalogue=services.catalogue,
    )

"""The house where no server runs: what a call would pass through, to be looked at. No call passes."""

import asyncio

from tollhouse.core.aside import AtOnce
from tollhouse.core.request import Request
from tollhouse.gateway.bodies import Bodies
from tollhouse.gateway.client import Call
from tollhouse.gateway.outlet import Pulse
from tollhouse.gateway.ports import House
from tollhouse.office.office import Office
from tollhouse.routing.health import Health
from tollhouse.routing.retry import RetryBudget
from tollhouse.tokens.tokenizer import Tokenizer


class NoCalls:
    """Ledger and witness of a house that nobody calls."""

    @property
    def trouble(self) -> str | None:
        return "no server runs"

    async def commit(self, record: Request) -> None:
        raise AssertionError("no call passes through a house at rest")

    def saw(self, record: Request) -> None:
        raise AssertionError("no call passes through a house at rest")

    def troubled(self, request_id: str, provider: str, model: str, words: str) -> None:
        raise AssertionError("no call passes through a house at rest")

    def refused(self, call: Call, code: str, status: int) -> None:
        raise AssertionError("no call passes through a house at rest")


def at_rest(office: Office) -> House:
    """As a server would find it at its start: nothing held, nothing used in this minute, no provider asked."""
    nobody, at_once = NoCalls(), AtOnce()
    return House(
        clock=office.clock,
        random=office.random,
        keys=office.directory,
        limits=office.gate,
        ledger=nobody,
        witness=nobody,
        health=Health(),
        retries=RetryBudget(),
        count=Tokenizer(),
        sleep=asyncio.sleep,
        aside=at_once,
        apart=at_once,
        bodies=Bodies(office.clock),
        answers=Bodies(office.clock),
        pulse=Pulse(office.clock, asyncio.sleep),
        rehearsal={},
        show_provider=False,
        contact=office.contact,
        purses=office.purses,
        prices=lambda: office.prices,
        catalogue=office.catalogue,
    )

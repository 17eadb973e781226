"""A post that sends nothing and remembers everything, and an account whose budget has something to tell."""

import asyncio
import json
from typing import Any

from msgspec import Struct

from tests.services.harness import NOW_MS, OPERATOR
from tests.services.test_money import call, owner_of
from tollhouse.billing.budgets import Budget
from tollhouse.core.channel import Channel
from tollhouse.core.notice import DeliveryResult, Outgoing
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import budgets, outbox, people
from tollhouse.services.context import ServiceContext

URL = "https://hooks.example/in?a=b"


class Sent(Struct, frozen=True, kw_only=True):
    channel: Channel
    address: str
    id: str
    subject: str = ""
    text: str = ""
    body: bytes = b""
    secret: str = ""

    @property
    def percent(self) -> int:
        if self.channel == "webhook":
            return int(json.loads(self.body)["data"]["threshold_percent"])
        return int(self.subject.split(" %")[0])


class FakeDelivery:
    """`answers`: what comes of each try on a way. `refused`: why any webhook is refused. `raises`: a defect. Nothing is
    answered until `lets_go` is set."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self.answers = {way: DeliveryResult(ok=True, status=200, words="thanks") for way in ("mail", "webhook", "chat")}
        self.refused: str | None = None
        self.raises: Exception | None = None
        self.lets_go = asyncio.Event()
        self.lets_go.set()
        self._news = asyncio.Event()

    async def came(self, count: int) -> None:
        """Wait until so much was sent."""
        async with asyncio.timeout(20):
            while len(self.sent) < count:
                self._news.clear()
                await self._news.wait()

    async def deliver(self, channel: Channel, outgoing: Outgoing) -> DeliveryResult:
        return await self._take(
            Sent(
                channel=channel,
                address=outgoing.address,
                id=outgoing.id,
                subject=outgoing.subject,
                text=outgoing.text,
                body=outgoing.body,
                secret=outgoing.secret,
            )
        )

    def refuses(self, url: str) -> str | None:
        return self.refused

    async def _take(self, sent: Sent) -> DeliveryResult:
        self.sent.append(sent)
        self._news.set()
        await self.lets_go.wait()
        if self.raises is not None:
            raise self.raises
        return self.answers[sent.channel]


def told(post: FakeDelivery, channel: Channel) -> list[int]:
    """The thresholds that were told on a way, in their order."""
    return [one.percent for one in post.sent if one.channel == channel]


async def scenario_of(services: ServiceContext, **more: Any) -> tuple[Budget, FakeDelivery]:
    """An account with an owner, and a budget of 100 nano-USD a day with the thresholds of M15."""
    post = services.post = FakeDelivery()
    account, owner = await owner_of(services)
    await people.create(
        services,
        OPERATOR,
        email="owner@example.org",
        password="correct horse battery",
        role="owner",
        account=account.id,
    )
    given: dict[str, Any] = {"amount_usd": "0.0000001", "window": "day", "soft": (50, 80, 100), "account": account.id}
    await budgets.put(services, OPERATOR, **given | {"mail": "ops@example.org"})  # who names it needs no confirmation
    budget = await budgets.put(services, owner, **given | {"webhook": URL, "mail": "ops@example.org"} | more)
    return budget, post


def spends(number: int, budget: Budget, amount: int, *, time_ms: int = NOW_MS, **more: Any) -> UsageRecord:
    place = (budget.id, budget.window(time_ms).start_ms)
    return call(number, budget.account_id, amount, budgets=(place,), time_ms=time_ms, **more)


async def send_all(services: ServiceContext) -> None:
    while await outbox.deliver(services):
        pass

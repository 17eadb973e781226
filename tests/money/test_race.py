"""Many calls at once on money for few, over real sockets: exactly as many answers as there is money, at no time more.

Every call costs its worst case to the last nano-dollar, and all that are let in stay open until the last one that is
not has been refused: nothing is ever given back that could let one more in.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.end_to_end.platform_process import PlatformProcess, chat
from tests.support.scripted_provider import ScriptedProvider, Turn, answers, said
from tollhouse.core.amount import format_usd, parse_usd
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.requests import SqlUsageRecordRepository

CAP = 12
BODY_BYTES = len(json.dumps(chat(max_tokens=CAP)))
WORST = BODY_BYTES * 2500 + CAP * 10_000  # at the price of the platform-1, and what each answer reports
SECONDS_MAX = 60


class Gatekeeper:
    """The provider's side: every answer waits for `open`."""

    def __init__(self, provider: ScriptedProvider) -> None:
        self._provider = provider
        self._gate = provider.run(self._event())
        provider.plays("up-house", self._play)

    async def _event(self) -> asyncio.Event:
        return asyncio.Event()

    async def _play(self, turn: Turn) -> None:
        await self._gate.wait()
        await answers(said("yes", BODY_BYTES, CAP))(turn)

    def open(self) -> None:
        self._provider.signal(self._gate)

    async def keeps(self, count: int) -> None:
        """So many calls wait here, and no more."""
        kept = await asyncio.to_thread(self._provider.seen, count)
        assert len(kept) == count, "somebody was sent on whom the money does not pay for"


@dataclass
class ConcurrentCallers:
    """Callers at once. `statuses`: of those who were told; `refusals`: what they were told, by key."""

    platform: PlatformProcess
    statuses: Counter[int] = field(default_factory=Counter)
    refusals: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, key: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.platform.port)
        try:
            writer.write(self.platform.raw(key, max_tokens=CAP))
            head = await reader.readuntil(b"\r\n\r\n")
            lines = [line.partition(b":") for line in head.lower().split(b"\r\n")]
            length = next(int(value) for name, _, value in lines if name == b"content-length")
            body = json.loads(await reader.readexactly(length))
        finally:
            writer.close()
        status = int(head.split(b" ", 2)[1])
        self.statuses[status] += 1
        if status != 200:
            self.refusals.append((key, body["error"]))
        self.told.set()

    async def refused(self, count: int) -> None:
        """Until so many have been refused."""
        while self.statuses[429] < count:
            self.told.clear()
            await self.told.wait()


@dataclass
class Sampler:
    """Asks `/v1/key` again and again whether a counter was ever overdrawn; nothing here can be more than was held."""

    platform: PlatformProcess
    keys: list[str]
    looked: asyncio.Event = field(default_factory=asyncio.Event)
    most: Counter[str] = field(default_factory=Counter)  # used + held at most, by budget

    async def watch(self) -> None:
        while True:
            for key in self.keys:
                shown = await asyncio.to_thread(self.platform.ask, None, "/v1/key", method="GET", key=key)
                for budget in shown.json["budgets"]:
                    used, held = parse_usd(budget["used_usd"]), parse_usd(budget["held_usd"])
                    assert used + held <= parse_usd(budget["limit_usd"]), budget
                    self.most[budget["id"]] = max(self.most[budget["id"]], used + held)
            self.looked.set()

    async def twice(self) -> None:
        """All keys are looked at from now on."""
        for _ in range(2):
            self.looked.clear()
            await self.looked.wait()


async def watched(sampler: Sampler, race: Callable[[], Any]) -> None:
    """Run a race while the sampler looks on; a flaw it finds ends the test."""
    async with asyncio.timeout(SECONDS_MAX):
        watching = asyncio.create_task(sampler.watch())
        racing = asyncio.ensure_future(race())
        await asyncio.wait([watching, racing], return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        if watching.done() and not watching.cancelled():
            watching.result()
        await racing


def key_of(platform: PlatformProcess, name: str, project: str | None = None) -> tuple[str, str]:
    """A new key: (id, secret)."""
    made = platform.manage("POST", "/keys", {"name": name, "account": "demo", "project": project})
    return made["id"], made["secret"]


def budget(platform: PlatformProcess, amount: int, **where: str) -> str:
    made = platform.manage("POST", "/budgets", {"amount_usd": format_usd(amount), "window": "total", **where})
    return str(made["id"])


def records(platform: PlatformProcess, key_id: str) -> list[UsageRecord]:
    found = platform.read(
        lambda tables: SqlUsageRecordRepository(tables.requests._connection).page(before=None, limit=10_000)
    )
    return [one for one in found if one.key_id == key_id]


@pytest.mark.parametrize(("calls", "paid"), [(8, 1), (200, 7)], ids=["litellm_40095", "new_api_5690"])
def test_money_for_few_lets_exactly_few_in_however_many_ask_at_once(
    platform: PlatformProcess, provider: ScriptedProvider, calls: int, paid: int
) -> None:
    key_id, secret = key_of(platform, f"for {paid} of {calls}")
    bound = budget(platform, paid * WORST, key=key_id)
    gate, sampler = Gatekeeper(provider), Sampler(platform, [secret])

    async def race() -> Counter[int]:
        crowd = ConcurrentCallers(platform)
        asked = [asyncio.create_task(crowd.ask(secret)) for _ in range(calls)]
        await crowd.refused(calls - paid)
        await gate.keeps(paid)
        await sampler.twice()
        gate.open()
        await asyncio.gather(*asked)
        assert {error["code"] for _, error in crowd.refusals} == {"insufficient_quota"}
        assert crowd.statuses == {200: paid, 429: calls - paid}
        return crowd.statuses

    asyncio.run(watched(sampler, race))
    assert sampler.most[bound] == paid * WORST
    charged = [one.charge for one in records(platform, key_id) if one.charge is not None]
    assert [(one.amount, one.held, one.overrun) for one in charged] == [(WORST, WORST, 0)] * paid
    (shown,) = platform.ask(None, "/v1/key", method="GET", key=secret).json["budgets"]
    assert (shown["used_usd"], shown["held_usd"], shown["remaining_usd"]) == (format_usd(paid * WORST), "0", "0")
    for record in records(platform, key_id):
        for counter in record.counters:  # as the call met them, and as it left them
            assert counter.limit is None or counter.spent + counter.held <= counter.limit
            assert counter.limit is None or counter.after <= counter.limit


def test_three_levels_bind_one_after_the_other_among_a_thousand_calls(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    """The key pays for 7, its project for 25, the account for 40; who comes later meets what others hold."""
    project = platform.manage("POST", "/projects", {"name": "racing", "account": "demo"})["id"]
    one, one_secret = key_of(platform, "bound by itself", project)
    other, other_secret = key_of(platform, "bound by its project", project)
    third, third_secret = key_of(platform, "bound by the account")
    account = platform.manage("GET", f"/keys/{one}")["account_id"]
    bounds = {
        budget(platform, 7 * WORST, key=one): 7,
        budget(platform, 25 * WORST, project=project): 25,
        budget(platform, 40 * WORST, account=account): 40,
    }
    gate, sampler = Gatekeeper(provider), Sampler(platform, [one_secret, third_secret])
    waves = [
        (one_secret, 200, 7, f"on the key {one}"),
        (other_secret, 300, 18, f"on the project {project}"),
        (third_secret, 500, 15, f"on the account {account}"),
    ]

    async def race() -> None:
        asked, gone = [], 0
        crowd = ConcurrentCallers(platform)
        for secret, calls, paid, _ in waves:
            asked += [asyncio.create_task(crowd.ask(secret)) for _ in range(calls)]
            gone += calls - paid
            await crowd.refused(gone)
        await gate.keeps(40)
        await sampler.twice()
        gate.open()
        await asyncio.gather(*asked)
        assert crowd.statuses == {200: 40, 429: 960}
        for secret, calls, paid, where in waves:
            told = [error for key, error in crowd.refusals if key == secret]
            assert len(told) == calls - paid
            assert all(error["code"] == "insufficient_quota" and where in error["message"] for error in told)

    asyncio.run(watched(sampler, race))
    assert {bound: sampler.most[bound] for bound in bounds} == {bound: paid * WORST for bound, paid in bounds.items()}
    assert [len([r for r in records(platform, key) if r.charge]) for key in (one, other, third)] == [7, 18, 15]

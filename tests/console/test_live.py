"""Calls are told to who watches their account: together, at most so often, again to who was away, to nobody else."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import BROWSER, Browser
from tests.store.samples import request
from tollhouse.console.live import KEPT, PER_ACCOUNT_MAX, PER_PERSON_MAX, LiveCalls, LiveMessage
from tollhouse.core.charge import Charge
from tollhouse.core.failure import RateLimited
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services import sessions

EVERY_S = 0.05


def call(number: int, account_id: str = "acc_1", **changed: object) -> UsageRecord:
    charge = Charge(amount=number, price_id=None)
    return request(number, **{"account_id": account_id, "mode": "live", "charge": charge, **changed})


def run(scenario: Callable[[LiveCalls], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        await scenario(LiveCalls(7, settle_s=0.005, every_s=EVERY_S, remember_s=0.05))

    asyncio.run(all_of_it())


def test_calls_of_the_account_are_told_together_and_those_of_others_not() -> None:
    async def scenario(live: LiveCalls) -> None:
        with live.watch("acc_1", "per_1") as one, live.watch("acc_1", "per_2") as other:
            live.ended([call(1), call(2, status=500), call(4, "acc_2")])
            live.ended([call(8, mode="test")])
            await asyncio.wait_for(one.news.wait(), 5)
            assert one.take() == other.take() == [LiveMessage(1, 3, 1, 3)]
            assert one.take() == []

    run(scenario)


def test_second_message_waits_its_time() -> None:
    async def scenario(live: LiveCalls) -> None:
        loop = asyncio.get_running_loop()
        with live.watch("acc_1", "per_1") as watch:
            live.ended([call(1)])
            await watch.news.wait()
            told_s = loop.time()
            watch.take()
            for number in range(10):
                live.ended([call(number)])
                await asyncio.sleep(0)
            await watch.news.wait()
            assert loop.time() - told_s >= EVERY_S - 0.002
            assert [message.calls for message in watch.take()] == [10]

    run(scenario)


def test_who_comes_back_is_told_what_was_missed() -> None:
    async def scenario(live: LiveCalls) -> None:
        with live.watch("acc_1", "per_1") as watch:
            for number in range(3):
                live.ended([call(number)])
                await watch.news.wait()
                watch.take()
        with live.watch("acc_1", "per_1") as back:
            assert back.resume(1)
            assert [message.number for message in back.take()] == [2, 3]
            assert back.resume(3)
            assert back.take() == []
            assert not back.resume(9)

    run(scenario)


def test_account_that_nobody_watches_any_more_is_forgotten() -> None:
    async def scenario(live: LiveCalls) -> None:
        with live.watch("acc_1", "per_1") as watch:
            live.ended([call(1)])
            await watch.news.wait()
        forgotten = asyncio.Event()
        asyncio.get_running_loop().call_later(0.06, forgotten.set)  # its timer is due before this one
        await forgotten.wait()
        live.ended([call(2)])
        with live.watch("acc_1", "per_1") as back:
            assert not back.resume(1)

    run(scenario)


def test_messages_that_are_kept_are_bounded() -> None:
    async def scenario(live: LiveCalls) -> None:
        live = LiveCalls(7, settle_s=0, every_s=0)
        with live.watch("acc_1", "per_1") as watch:
            for number in range(KEPT + 3):
                live.ended([call(number)])
                await watch.news.wait()
                watch.news.clear()
            assert not watch.resume(2)
            assert watch.resume(3)
            assert len(watch.take()) == KEPT

    run(scenario)


@pytest.mark.parametrize(("people", "bound"), [(1, PER_PERSON_MAX), (100, PER_ACCOUNT_MAX)])
def test_watching_pages_are_bounded(people: int, bound: int) -> None:
    async def scenario(live: LiveCalls) -> None:
        watches = [live.watch("acc_1", f"per_{number % people}") for number in range(bound)]
        for one in watches:
            one.__enter__()
        with pytest.raises(RateLimited), live.watch("acc_1", "per_0"):
            pass
        watches[0].__exit__(None, None, None)
        with live.watch("acc_1", "per_0"):
            pass

    run(scenario)


class EventListener:
    """A browser that listens to /console/events."""

    def __init__(self, browser: Browser, headers: list[tuple[bytes, bytes]] | None = None) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self.gone = asyncio.Event()
        self.more = asyncio.Event()
        cookie = (b"cookie", browser.cookie.encode())
        scope = {
            "type": "http",
            "method": "GET",
            "path": "/console/events",
            "query_string": b"",
            "scheme": "http",
            "headers": [*BROWSER, cookie, *(headers or [])],
            "request_id": "req_abc",
        }
        self.task = asyncio.ensure_future(browser.console(scope, self._receive, self._send))

    async def _receive(self) -> MutableMapping[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)
        self.more.set()

    @property
    def text(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    async def until(self, words: str) -> None:
        async with asyncio.timeout(5):
            while words not in self.text:
                self.more.clear()
                await self.more.wait()


def test_stream_tells_calls_until_the_session_ends(admin: AdminHarness, owner: Browser) -> None:
    own, foreign = admin.accounts["alpha"], admin.accounts["beta"]

    async def scenario() -> None:
        listener = EventListener(owner)
        await listener.until("retry:")
        headers = dict(listener.sent[0]["headers"])
        assert headers[b"content-type"] == b"text/event-stream; charset=utf-8"
        assert headers[b"cache-control"] == b"no-store"
        assert headers[b"x-accel-buffering"] == b"no"
        assert headers[b"content-security-policy"].startswith(b"default-src 'none'")
        owner.console.context.live.ended([call(5, own), call(70, foreign)])
        await listener.until('id: 0-1\ndata: {"calls":1,"failed":0,"charge_nusd":5}\n\n')
        session = admin.services.sessions.find(owner.cookie.partition("=")[2], admin.clock.ms)
        assert session is not None
        person = await admin.store.read(lambda tables: tables.people.get(session.person_id))
        assert person is not None
        await sessions.end(admin.services, sessions.actor_of(person, session), person, session.id)
        await listener.until("event: bye")
        await asyncio.wait_for(listener.task, 5)

    admin.runner.run(scenario())


def test_stream_replays_or_says_that_it_cannot(admin: AdminHarness, owner: Browser) -> None:
    async def scenario() -> None:
        first = EventListener(owner)
        await first.until("retry:")
        owner.console.context.live.ended([call(5, admin.accounts["alpha"])])
        await first.until("id: 0-1")
        first.gone.set()
        await asyncio.wait_for(first.task, 5)
        for last, words in ((b"0-0", "id: 0-1\ndata: {"), (b"9-1", "event: refresh"), (b"x", "event: refresh")):
            listener = EventListener(owner, [(b"last-event-id", last)])
            await listener.until(words)
            listener.gone.set()
            await asyncio.wait_for(listener.task, 5)

    admin.runner.run(scenario())

"""An answer that a page shows as it comes: every word at once, bounded, and over when its reader leaves."""

import asyncio
import json
import re
from collections.abc import MutableMapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import BROWSER
from tests.console.test_playground_pages import PAGE, Player
from tests.gateway.fakes import Piece
from tests.gateway.harness import (
    DONE,
    FINISH,
    OVERLOADED,
    ROLE,
    STORY,
    USAGE,
    answer,
    buffered,
    refusing,
    streaming,
    word,
)
from tollhouse.console.application import StreamBroke
from tollhouse.console.page_calls import PER_ACCOUNT_MAX, PageCalls
from tollhouse.core.failure import BadRequest, RateLimited
from tollhouse.services import sessions
from tollhouse.services.translation import said

SECONDS_MAX = 10


class PageReader:
    """Sends the form as the page's script does, and reads what comes. `slow`: takes nothing until it is set."""

    def __init__(self, player: Player, **changed: str) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self.more, self.gone = asyncio.Event(), asyncio.Event()
        self.slow: asyncio.Event | None = None
        fields = player.fields(stream="1", csrf=player.browser.csrf) | changed
        self._body: bytes | None = urlencode(fields).encode()
        headers = [(b"accept", b"text/event-stream"), (b"host", b"toll.example"), (b"sec-fetch-site", b"same-origin")]
        scope = {
            "type": "http",
            "method": "POST",
            "path": f"{PAGE}/stream",
            "query_string": b"",
            "scheme": "http",
            "headers": [*headers, (b"cookie", player.browser.cookie.encode())],
            "request_id": "req_page",
        }
        self.task = asyncio.ensure_future(player.browser.console(scope, self._receive, self._send))

    async def _receive(self) -> MutableMapping[str, Any]:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)
        self.more.set()
        if self.slow is not None:
            await self.slow.wait()

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def content(self) -> str:
        return b"".join(message.get("body", b"") for message in self.sent).decode()

    @property
    def events(self) -> list[tuple[str, Any]]:
        found = re.findall(r"(?:event: (\w+)\n)?data: (.*)\n\n", self.content)
        return [(name or "message", json.loads(data)) for name, data in found]

    @property
    def text(self) -> str:
        return "".join(data["text"] for name, data in self.events if name == "message")

    async def until(self, words: str) -> None:
        async with asyncio.timeout(SECONDS_MAX):
            while words not in self.content:
                self.more.clear()
                await self.more.wait()

    async def end(self) -> None:
        await asyncio.wait_for(self.task, SECONDS_MAX)


@pytest.fixture
def player(admin: AdminHarness) -> Player:
    return Player(admin)


def plays(player: Player, *pieces: Piece) -> None:
    player.harness.first.plays[:] = [streaming(*pieces)]


def receipt(player: Player, request_id: str) -> str:
    return player.browser.get(f"/console/requests/{request_id}").html


def test_words_come_as_they_are_written(player: Player) -> None:
    more = asyncio.Event()
    plays(player, ROLE, word("Zoll "), more, word("haus "), FINISH, USAGE, DONE)

    async def scenario() -> PageReader:
        reader = PageReader(player)
        await reader.until("Zoll ")
        assert "haus" not in reader.content
        more.set()
        await reader.end()
        return reader

    reader = player.admin.runner.run(scenario())
    head = dict(reader.sent[0]["headers"])
    assert head[b"content-type"] == b"text/event-stream; charset=utf-8"
    assert head[b"x-accel-buffering"] == b"no"
    assert head[b"content-security-policy"].startswith(b"default-src 'none'")
    assert reader.text == "Zoll haus "
    assert [reader.events[0][0], reader.events[-1][0]] == ["began", "ended"]
    assert player.sent["stream"] is True
    page = receipt(player, reader.events[0][1]["id"])
    assert "finished" in page
    assert "Held before" in page


def test_whoever_stops_pays_for_what_had_come_and_the_receipt_says_so(player: Player) -> None:
    never = asyncio.Event()
    plays(player, ROLE, word("Zoll "), word("haus "), never)

    async def scenario() -> PageReader:
        reader = PageReader(player)
        await reader.until("haus ")
        reader.gone.set()
        await reader.end()
        return reader

    reader = player.admin.runner.run(scenario())
    request_id = reader.events[0][1]["id"]
    page = receipt(player, request_id)
    assert "client_left_after_first_byte" in page
    assert player.harness.answers_settled
    shown = player.browser.get(f"{PAGE}/calls/{request_id}").html
    assert "what had come until then is charged" in shown
    assert re.search(r"Charged</dt><dd><strong><data value=\"0\.000\d", shown)


def test_whoever_is_signed_out_leaves_the_call(player: Player) -> None:
    never = asyncio.Event()
    plays(player, ROLE, word("Zoll "), never)
    services, cookie = player.admin.services, player.browser.cookie

    async def scenario() -> PageReader:
        reader = PageReader(player)
        await reader.until("Zoll ")
        session = services.sessions.find(cookie.partition("=")[2], player.admin.clock.ms)
        assert session is not None
        person = await player.admin.store.read(lambda tables: tables.people.get(session.person_id))
        assert person is not None
        await sessions.end(services, sessions.actor_of(person, session), person, session.id)
        await reader.end()
        return reader

    request_id = player.admin.runner.run(scenario()).events[0][1]["id"]
    player.browser.sign_in("owner@alpha.example")
    assert "client_left_after_first_byte" in receipt(player, request_id)


def test_what_became_of_a_call_waits_until_it_is_settled(player: Player) -> None:
    never = asyncio.Event()
    plays(player, ROLE, word("Zoll "), never)
    calls = player.browser.console.context.calls

    async def scenario() -> None:
        reader = PageReader(player)
        await reader.until("Zoll ")
        request_id = reader.events[0][1]["id"]
        account_id = player.admin.accounts["alpha"]
        assert not await calls.over(account_id, request_id, 0.01)
        assert await calls.over(player.admin.accounts["beta"], request_id, 5)
        waiting = asyncio.ensure_future(calls.over(account_id, request_id, 5))
        reader.gone.set()
        assert await waiting
        await reader.end()

    player.admin.runner.run(scenario())


def test_slow_reader_keeps_the_provider_waiting(player: Player) -> None:
    """Nothing is gathered here: what the browser does not take is not read of the provider."""
    read: list[int] = []
    pieces: list[Piece] = [ROLE]
    for number in range(5):
        pieces += [word(f"w{number} "), partial(read.append, number)]
    plays(player, *pieces, FINISH, USAGE, DONE)

    async def scenario() -> None:
        reader = PageReader(player)
        await reader.until("began")
        reader.slow = asyncio.Event()
        await reader.until("w0")
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(read) <= 1
        reader.slow.set()
        await reader.end()
        assert reader.text == "w0 w1 w2 w3 w4 "

    player.admin.runner.run(scenario())


def test_calls_under_way_are_bounded_and_a_place_is_free_again(player: Player) -> None:
    never = asyncio.Event()
    plays(player, ROLE, word("Zoll "), never)

    async def scenario() -> None:
        readers = [PageReader(player) for _ in range(PER_ACCOUNT_MAX)]
        for one in readers:
            await one.until("Zoll")
        refused = PageReader(player)
        await refused.end()
        assert refused.status == 429
        assert "too many calls" in json.loads(refused.content)["error"]["message"]
        for one in readers:
            one.gone.set()
            await one.end()
        plays(player, *STORY)
        again = PageReader(player)
        await again.end()
        assert again.text == "Zoll haus "

    player.admin.runner.run(scenario())


def test_places_of_one_account_are_not_another_s() -> None:
    calls = PageCalls()

    async def scenario() -> None:
        places = [calls.under_way("acc_1", f"req_{number}") for number in range(PER_ACCOUNT_MAX)]
        for one in places:
            one.__enter__()
        with pytest.raises(RateLimited), calls.under_way("acc_1", "req_x"):
            pass
        with calls.under_way("acc_2", "req_x"):
            pass

    asyncio.run(scenario())


def test_refusal_before_the_answer_is_told_in_its_words(player: Player) -> None:
    refused = refusing(400, {"message": "temperature must be below 2", "type": "invalid_request_error"})
    player.harness.first.plays[:] = [refused]

    async def scenario() -> PageReader:
        reader = PageReader(player, temperature="3")
        await reader.end()
        return reader

    events = dict(player.admin.runner.run(scenario()).events)
    assert events["failed"] == {"message": "temperature must be below 2", "status": 400}
    assert "ended" in events


def test_refusal_is_told_in_the_reader_s_language(player: Player) -> None:
    page = player.browser.get(f"{PAGE}?model=x", [*BROWSER, (b"accept-language", b"zh-CN")])
    assert "试验场" in page.html
    text = said("zh-CN")(BadRequest("text: write what the model is to answer").phrase)
    assert text != "text: write what the model is to answer"
    reply = player.browser.send(
        f"{PAGE}/stream",
        urlencode(player.fields(text="", csrf=player.browser.csrf)).encode(),
        [*BROWSER, (b"accept-language", b"zh-CN"), (b"sec-fetch-site", b"same-origin")],
    )
    assert reply.status == 400
    assert f'<p class="lead">{text}</p>' in reply.html


def test_stream_that_breaks_off_is_no_whole_one(player: Player) -> None:
    plays(player, ROLE, word("Zoll "), OVERLOADED)

    async def scenario() -> PageReader:
        reader = PageReader(player)
        await reader.end()
        return reader

    reader = player.admin.runner.run(scenario())
    assert reader.text == "Zoll "
    assert "failed_after_first_byte" in player.browser.get(f"{PAGE}/calls/{reader.events[0][1]['id']}").html


def test_defect_of_ours_breaks_the_stream_off(player: Player) -> None:
    """It must not look whole: the listener closes the connection, and notes why."""

    def fail() -> None:
        raise RuntimeError("a defect")

    plays(player, ROLE, word("Zoll "), fail)

    async def scenario() -> PageReader:
        reader = PageReader(player)
        with pytest.raises(StreamBroke) as broke:
            await reader.end()
        assert str(broke.value.__cause__) == "a defect"
        return reader

    reader = player.admin.runner.run(scenario())
    assert reader.text == "Zoll "
    assert reader.sent[-1]["more_body"], "no end of the body was sent"
    assert "ended" not in dict(reader.events)
    assert "failed_after_first_byte" in receipt(player, reader.events[0][1]["id"])


def test_answer_that_is_not_streamed_comes_in_one_piece(player: Player) -> None:
    player.harness.first.plays[:] = [buffered(answer("Zoll <haus>"))]

    async def scenario() -> PageReader:
        reader = PageReader(player, stream="")
        await reader.end()
        return reader

    reader = player.admin.runner.run(scenario())
    assert [name for name, _ in reader.events] == ["began", "message", "ended"]
    assert reader.text == "Zoll <haus>"


@pytest.mark.parametrize("changed", [{"text": ""}, {"max_tokens": "many"}, {"key": "key_nobody"}, {"csrf": "0"}])
def test_wrong_form_is_refused_before_anything_is_streamed(player: Player, changed: dict[str, str]) -> None:
    async def scenario() -> PageReader:
        reader = PageReader(player, **changed)
        await reader.end()
        return reader

    reader = player.admin.runner.run(scenario())
    assert 400 <= reader.status < 500
    assert json.loads(reader.content)["error"]["message"]
    assert not player.harness.first.calls


def test_half_a_character_waits_for_the_other(player: Player) -> None:
    smile = "😀".encode("utf-16-be")
    halves = [json.dumps(smile[at : at + 2].decode("utf-16-be", "surrogatepass")) for at in (0, 2)]
    pieces = [
        b'data: {"id":"c1","choices":[{"index":0,"delta":{"content":' + half.encode() + b"}}]}\n\n" for half in halves
    ]
    plays(player, ROLE, *pieces, FINISH, USAGE, DONE)

    async def scenario() -> PageReader:
        reader = PageReader(player)
        await reader.end()
        return reader

    text = player.admin.runner.run(scenario()).text
    assert text.encode("utf-16", "surrogatepass").decode("utf-16") == "😀"

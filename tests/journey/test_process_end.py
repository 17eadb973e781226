"""The end of the process, by order and by surprise: who is served to the end, what is kept, what is counted."""

import asyncio
import http.client
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.journey.conftest import Start
from tests.journey.platform_process import PLATFORM, WAIT_SECONDS_MAX, Platform, chat, events, text_of
from tests.journey.scripted_provider import LAST, Provider, answers, said, streams, word


class Listener:
    """A client in the middle of a stream."""

    def __init__(self, house: Platform) -> None:
        self.connection = house.connect()
        self.connection.request("POST", "/v1/chat/completions", *house.written(chat(stream=True), None, None))
        self.answer = self.connection.getresponse()
        self.read = self.answer.read1()
        while b"one " not in self.read:
            more = self.answer.read1()
            assert more, f"the stream ended before its first word: {self.answer.status} {self.read!r}"
            self.read += more

    def rest(self, *, broken: bool = False) -> bytes:
        """All of the stream. broken: it has to end without its last chunk."""
        try:
            return self.read + self.answer.read()
        except http.client.IncompleteRead as cut:
            assert broken, "the stream broke off"
            return self.read + cut.partial
        finally:
            self.connection.close()


def ready(house: Platform) -> int:
    return house.ask(path="/readyz", method="GET").status


def until(holds: Callable[[], bool]) -> None:
    """Ask again and again: each question takes its own time."""
    for _ in range(2_000):
        if holds():
            return
    raise AssertionError("it never held")


def test_leaving_in_good_order_and_coming_back(start: Start, provider: Provider) -> None:
    house = start(lame_duck=2)
    goes_on = asyncio.Event()
    provider.plays("up-house", streams([word("one "), goes_on, word("two ") + LAST]))
    listener = Listener(house)
    assert ready(house) == 200
    house.signal()
    until(lambda: ready(house) == 503)
    refused = house.ask(chat())
    assert (refused.status, refused.code) == (503, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["connection"] == "close"
    assert house.ask(path="/healthz", method="GET").status == 200
    provider.signal(goes_on)
    body = listener.rest()
    assert text_of(body) == "one two "
    assert events(body)[-1] == "[DONE]"
    assert house.wait() == 0
    request_id = str(listener.answer.getheader("x-request-id"))
    assert house.record(request_id).ending == "finished"
    key = house.key
    house.again()
    assert house.key == key
    provider.plays("up-house", answers(said("again")))
    assert house.ask(chat()).status == 200
    assert house.record(request_id).ending == "finished"


def test_a_second_signal_ends_at_once(start: Start, provider: Provider) -> None:
    house = start(lame_duck=600)
    provider.plays("up-house", streams([word("one ")], end="open"))
    listener = Listener(house)
    house.signal()
    until(lambda: ready(house) == 503)
    house.signal()
    assert house.wait() == 0
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        listener.rest()
    record = house.record(str(listener.answer.getheader("x-request-id")))
    assert record.ending in ("failed_after_first_byte", "client_left_after_first_byte")
    assert record.usage.output > 0, "what was delivered is counted"
    assert provider.turns[0].left.result(WAIT_SECONDS_MAX) > 0


@pytest.mark.parametrize("stream", [False, True])
def test_whom_the_end_of_the_process_cuts_off_before_the_first_byte_pays_nothing(
    start: Start, provider: Provider, stream: bool
) -> None:
    """The cut was taken for a caller who had left, and the prompt was charged."""
    house = start(lame_duck=600)
    provider.plays("up-house", streams([], end="open"))
    connection = house.connect()
    connection.request("POST", "/v1/chat/completions", *house.written(chat(stream=stream), None, None))
    until(lambda: ready(house) == 200 and bool(provider.turns))
    house.signal()
    until(lambda: ready(house) == 503)
    house.signal()
    assert house.wait() == 0
    connection.close()
    (record,) = house.read(lambda tables: tables.requests.page(before=None, limit=9))
    assert (record.ending, record.status, record.charge) == ("failed_before_first_byte", 503, None)


def test_every_answer_received_whole_survives_being_killed(start: Start, provider: Provider) -> None:
    """Eight callers as fast as they can, then no warning at all: what they hold is in the database, each once."""
    house = start()
    provider.plays("up-house", answers(said("paid for")))
    received: list[str] = []
    enough = threading.Event()

    def call() -> None:
        connection = house.connect()
        with suppress(http.client.HTTPException, OSError):
            while True:
                connection.request("POST", "/v1/chat/completions", *house.written(chat(), None, None))
                answer = connection.getresponse()
                if b"paid for" in answer.read():
                    received.append(str(answer.getheader("x-request-id")))
                if len(received) > 400:
                    enough.set()
        connection.close()

    callers = [threading.Thread(target=call) for _ in range(8)]
    for caller in callers:
        caller.start()
    assert enough.wait(WAIT_SECONDS_MAX)
    house.signal(signal.SIGKILL)
    for caller in callers:
        caller.join()
    assert house.wait() == -signal.SIGKILL
    house.again()
    assert len(received) == len(set(received))
    kept = house.read(lambda tables: tables.requests.page(before=None, limit=100_000))
    records = {record.id: record for record in kept}
    assert len(records) == len(kept)
    for request_id in received:
        record = records[request_id]
        assert (record.ending, record.usage.input, record.usage.output) == ("finished", 60, 12)
    (usage,) = house.tollhouse("usage")["data"]
    assert usage["calls"] == len(kept), "sums and rows are written together"


def test_a_hang_up_ends_nothing_and_goes_on_in_a_new_log(tmp_path: Path, provider: Provider) -> None:
    """SIGHUP killed the process at once; logrotate, `systemctl reload` and a closed terminal send it."""
    folder = tmp_path / "house"
    folder.mkdir()
    config = PLATFORM.replace("[server]\n", '[server]\nlog = "calls.log"\n').replace("{lame_duck}", "0")
    served = Platform(folder, config.replace("{port}", str(provider.port)))
    goes_on = asyncio.Event()
    provider.plays("up-house", streams([word("one "), goes_on, word("two ") + LAST]))
    listener = Listener(served)
    (folder / "calls.log").rename(folder / "calls.log.1")
    served.signal(signal.SIGHUP)
    until(lambda: (folder / "calls.log").exists() and b"log_reopened" in (folder / "calls.log").read_bytes())
    provider.signal(goes_on)
    assert text_of(listener.rest()) == "one two "
    request_id = str(listener.answer.getheader("x-request-id")).encode()
    assert served.stop() == 0
    assert request_id in (folder / "calls.log").read_bytes()
    assert request_id not in (folder / "calls.log.1").read_bytes()
    assert (folder / "calls.log").stat().st_mode & 0o777 == 0o600

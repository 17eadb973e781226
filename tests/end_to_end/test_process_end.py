"""The end of the process, by order and by surprise: who is served to the end, what is kept, what is counted."""

import asyncio
import http.client
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.platform_process import PLATFORM, WAIT_SECONDS_MAX, PlatformProcess, chat, events, text_of
from tests.support.scripted_provider import LAST, ScriptedProvider, answers, said, streams, word


class StubListener:
    """A client in the middle of a stream."""

    def __init__(self, platform: PlatformProcess) -> None:
        self.connection = platform.connect()
        self.connection.request("POST", "/v1/chat/completions", *platform.written(chat(stream=True), None, None))
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


def ready(platform: PlatformProcess) -> int:
    return platform.ask(path="/readyz", method="GET").status


def until(holds: Callable[[], bool]) -> None:
    """Ask again and again: each question takes its own time."""
    for _ in range(2_000):
        if holds():
            return
    raise AssertionError("it never held")


def test_leaving_in_good_order_and_coming_back(start: Start, provider: ScriptedProvider) -> None:
    platform = start(lame_duck=2)
    goes_on = asyncio.Event()
    provider.plays("up-house", streams([word("one "), goes_on, word("two ") + LAST]))
    listener = StubListener(platform)
    assert ready(platform) == 200
    platform.signal()
    until(lambda: ready(platform) == 503)
    refused = platform.ask(chat())
    assert (refused.status, refused.code) == (503, "overloaded")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.headers["connection"] == "close"
    assert platform.ask(path="/healthz", method="GET").status == 200
    provider.signal(goes_on)
    body = listener.rest()
    assert text_of(body) == "one two "
    assert events(body)[-1] == "[DONE]"
    assert platform.wait() == 0
    request_id = str(listener.answer.getheader("x-request-id"))
    assert platform.record(request_id).ending == "finished"
    key = platform.key
    platform.again()
    assert platform.key == key
    provider.plays("up-house", answers(said("again")))
    assert platform.ask(chat()).status == 200
    assert platform.record(request_id).ending == "finished"


def test_a_second_signal_ends_at_once(start: Start, provider: ScriptedProvider) -> None:
    platform = start(lame_duck=600)
    provider.plays("up-house", streams([word("one ")], end="open"))
    listener = StubListener(platform)
    platform.signal()
    until(lambda: ready(platform) == 503)
    platform.signal()
    assert platform.wait() == 0
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        listener.rest()
    record = platform.record(str(listener.answer.getheader("x-request-id")))
    assert record.ending in ("failed_after_first_byte", "client_left_after_first_byte")
    assert record.usage.output > 0, "what was delivered is counted"
    assert provider.turns[0].left.result(WAIT_SECONDS_MAX) > 0


@pytest.mark.parametrize("stream", [False, True])
def test_whom_the_end_of_the_process_cuts_off_before_the_first_byte_pays_nothing(
    start: Start, provider: ScriptedProvider, stream: bool
) -> None:
    """The cut was taken for a caller who had left, and the prompt was charged."""
    platform = start(lame_duck=600)
    provider.plays("up-house", streams([], end="open"))
    connection = platform.connect()
    connection.request("POST", "/v1/chat/completions", *platform.written(chat(stream=stream), None, None))
    until(lambda: ready(platform) == 200 and bool(provider.turns))
    platform.signal()
    until(lambda: ready(platform) == 503)
    platform.signal()
    assert platform.wait() == 0
    connection.close()
    (record,) = platform.read(lambda tables: tables.requests.page(before=None, limit=9))
    assert (record.ending, record.status, record.charge) == ("failed_before_first_byte", 503, None)


def test_every_answer_received_whole_survives_being_killed(start: Start, provider: ScriptedProvider) -> None:
    """Eight callers as fast as they can, then no warning at all: what they hold is in the database, each once."""
    platform = start()
    provider.plays("up-house", answers(said("paid for")))
    received: list[str] = []
    enough = threading.Event()

    def call() -> None:
        connection = platform.connect()
        with suppress(http.client.HTTPException, OSError):
            while True:
                connection.request("POST", "/v1/chat/completions", *platform.written(chat(), None, None))
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
    platform.signal(signal.SIGKILL)
    for caller in callers:
        caller.join()
    assert platform.wait() == -signal.SIGKILL
    platform.again()
    assert len(received) == len(set(received))
    kept = platform.read(lambda tables: tables.requests.page(before=None, limit=100_000))
    records = {record.id: record for record in kept}
    assert len(records) == len(kept)
    for request_id in received:
        record = records[request_id]
        assert (record.ending, record.usage.input, record.usage.output) == ("finished", 60, 12)
    (usage,) = platform.tollhouse("usage")["data"]
    assert usage["calls"] == len(kept), "sums and rows are written together"


def test_a_hang_up_ends_nothing_and_goes_on_in_a_new_log(tmp_path: Path, provider: ScriptedProvider) -> None:
    """SIGHUP killed the process at once; logrotate, `systemctl reload` and a closed terminal send it."""
    folder = tmp_path / "house"
    folder.mkdir()
    config = PLATFORM.replace("[server]\n", '[server]\nlog = "calls.log"\n').replace("{lame_duck}", "0")
    served = PlatformProcess(folder, config.replace("{port}", str(provider.port)))
    goes_on = asyncio.Event()
    provider.plays("up-house", streams([word("one "), goes_on, word("two ") + LAST]))
    listener = StubListener(served)
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

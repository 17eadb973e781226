"""What endings cost over real HTTP, as the ledger on the disk has it: a provider that breaks off, callers who leave,
and a process that is killed."""

import asyncio
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.platform_process import PlatformProcess, PlatformReply, chat, events
from tests.end_to_end.test_disconnect import LeavingCaller, reset, written_down
from tests.support.scripted_provider import DONE, LAST, ScriptedProvider, Turn, answers, said, streams, word
from tollhouse.core.usage_record import UsageRecord

MORE = "".join(
    f"""
[providers.{name}]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{{port}}/v1"
on_disconnect = "{on_disconnect}"

[models.{name}]
offers = [{{ provider = "{name}", model = "up-{name}" }}]
context_tokens = 128000
price = {{ input = "2.50", output = "10.00" }}
"""
    for name, on_disconnect in (("drained", "drain"), ("aborted", "abort"), ("frail", "abort"))
)
REPORTED = 60 * 2500 + 12 * 10_000
FINISH, USAGE = LAST.removesuffix(DONE).split(b"\n\n")[:2]


def entries(platform: PlatformProcess, request_id: str) -> list[tuple[str, int]]:
    """What the ledger says of a call."""
    found = platform.read(lambda tables: tables.ledger.of_request(request_id))
    return [(entry.transfer.kind, entry.transfer.amount) for entry in found]


def charged(platform: PlatformProcess, request_id: str) -> int:
    """The charge of a call that has one, the same on its record and in the ledger."""
    record = platform.record(request_id)
    assert record.charge is not None
    assert entries(platform, request_id) == [("charge", -record.charge.amount)]
    return record.charge.amount


def counted(record: UsageRecord) -> int:
    assert record.usage_source == "counted"
    return record.usage.input * 2500 + record.usage.output * 10_000


def spent(platform: PlatformProcess) -> int:
    return sum(money.spent for money in platform.read(lambda tables: tables.ledger.every_money()))


@pytest.mark.parametrize("stream", [False, True])
def test_a_whole_answer_costs_what_was_reported_and_says_so(
    platform: PlatformProcess, provider: ScriptedProvider, stream: bool
) -> None:
    provider.plays("up-house", streams(word("one ") + LAST) if stream else answers(said("one")))
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if stream else {}
    reply = platform.ask(chat(stream=stream, **options))
    assert charged(platform, reply.id) == REPORTED
    told = events(reply.body)[-2]["tollhouse"]["charge_usd"] if stream else reply.headers["x-tollhouse-charge-usd"]
    assert told == "0.00027"


def test_a_stream_that_breaks_off_costs_what_was_delivered(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    provider.plays("up-frail", streams(word("one ") + word("two "), end="reset"))
    reply = platform.ask(chat("frail", stream=True))
    record = platform.record(reply.id)
    assert record.ending == "failed_after_first_byte"
    assert 0 < charged(platform, reply.id) == counted(record)
    assert record.usage.output == 2


def left(platform: PlatformProcess, caller: LeavingCaller, ending: str) -> UsageRecord:
    reset(caller.socket)
    record = written_down(platform, caller.id)
    assert record.ending == ending
    return record


def test_who_leaves_after_the_finish_reason_pays_what_is_reported_then(
    platform: PlatformProcess, provider: ScriptedProvider
) -> None:
    goes_on = asyncio.Event()
    provider.plays("up-aborted", streams([word("one ") + FINISH + b"\n\n", goes_on, USAGE + b"\n\n" + DONE]))
    caller = LeavingCaller(platform, model="aborted", stream=True)
    caller.read_until(b'"stop"')
    reset(caller.socket)
    assert platform.ask(path="/healthz", method="GET").status == 200  # by then the reset has been seen
    provider.signal(goes_on)
    record = written_down(platform, caller.id)
    assert (record.ending, record.usage_source) == ("client_left_after_first_byte", "drained")
    assert charged(platform, caller.id) == REPORTED


def test_who_leaves_before_it_pays_what_was_delivered(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    provider.plays("up-aborted", streams([word("one ")], end="open"))
    caller = LeavingCaller(platform, model="aborted", stream=True)
    caller.read_until(b"one ")
    record = left(platform, caller, "client_left_after_first_byte")
    assert charged(platform, caller.id) == counted(record)
    assert record.usage.output == 1


@pytest.mark.parametrize("end", ["whole", "reset"])
def test_a_stream_read_on_for_nobody_is_charged_also_where_the_provider_breaks_off(
    platform: PlatformProcess, provider: ScriptedProvider, end: str
) -> None:
    goes_on = asyncio.Event()
    rest = word("two ") + (LAST if end == "whole" else b"")
    provider.plays("up-drained", streams([word("one "), goes_on, rest], end=end))
    caller = LeavingCaller(platform, model="drained", stream=True)
    caller.read_until(b"one ")
    reset(caller.socket)
    assert platform.ask(path="/healthz", method="GET").status == 200
    provider.signal(goes_on)
    record = written_down(platform, caller.id)
    assert record.ending == "client_left_after_first_byte"
    if end == "whole":
        assert (charged(platform, caller.id), record.usage_source) == (REPORTED, "drained")
    else:
        assert charged(platform, caller.id) == counted(record)
        assert record.usage.output == 2


def test_a_refused_call_leaves_nothing_in_the_ledger(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    reply = platform.ask(chat("nobody"))
    assert reply.status == 404
    assert entries(platform, reply.id) == []
    assert platform.record(reply.id).charge is None


def test_a_killed_process_forgives_what_was_streamed_and_keeps_what_was_answered(
    start: Start, provider: ScriptedProvider
) -> None:
    """The row `process killed`: one stream in flight, one buffered call in flight, one answer received whole."""
    platform = start()
    provider.plays("up-house", answers(said("paid for")))
    whole = platform.ask(chat())
    assert charged(platform, whole.id) == REPORTED
    provider.plays("up-house", streams([word("one ")], end="open"))
    streamed = LeavingCaller(platform, stream=True)
    streamed.read_until(b"one ")
    provider.plays("up-house", _waits)
    waiting = LeavingCaller(platform)
    provider.seen()
    platform.signal(signal.SIGKILL)
    platform.wait()
    assert _end_of(streamed.socket) == _end_of(waiting.socket) == b""
    platform.again()
    assert charged(platform, whole.id) == REPORTED
    assert entries(platform, streamed.id) == []
    assert spent(platform) == REPORTED
    provider.plays("up-house", answers(said("again")))
    again: PlatformReply = platform.ask(chat())
    assert again.status == 200
    assert spent(platform) == 2 * REPORTED, "nothing is held for the dead, nothing is charged for them later"


async def _waits(turn: Turn) -> None:
    await asyncio.get_running_loop().create_future()


def _end_of(caller: socket.socket) -> bytes:
    """What still comes on a connection whose other side died: nothing."""
    with caller, suppress(ConnectionResetError):
        return b"".join(_pieces(caller))
    return b""


def _pieces(caller: socket.socket) -> Iterator[Any]:
    while data := caller.recv(65_536):
        yield data

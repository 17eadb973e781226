"""A client that leaves, as the provider's socket sees it."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.end_to_end.platform_process import WAIT_SECONDS_MAX, PlatformProcess
from tests.support.scripted_provider import LAST, ScriptedProvider, Turn, answers, said, says_nothing, streams, word
from tollhouse.core.usage_record import UsageRecord

MORE = """
[providers.drained]
kind = "openai_compatible"
base_url = "http://127.0.0.1:{port}/v1"
on_disconnect = "drain"

[models.drained]
offers = [{ provider = "drained", model = "up-drained" }]
context_tokens = 128000
price = { input = "2.50", output = "10.00" }
"""


def close(caller: socket.socket) -> None:
    caller.close()


def reset(caller: socket.socket) -> None:
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.close()


Leave = Callable[[socket.socket], None]


class LeavingCaller:
    """A client on a bare socket. `id` is known once the head of an answer was read."""

    def __init__(self, platform: PlatformProcess, **members: Any) -> None:
        self._platform = platform
        self.socket = socket.create_connection(("127.0.0.1", platform.port), WAIT_SECONDS_MAX)
        self.socket.sendall(platform.raw(**members))
        self.read = b""

    def read_until(self, text: bytes) -> None:
        while text not in self.read:
            data = self.socket.recv(65_536)
            assert data, self.read
            self.read += data

    @property
    def id(self) -> str:
        (line,) = [line for line in self.read.split(b"\r\n") if line.startswith(b"x-request-id: ")]
        return line.partition(b": ")[2].decode()


@pytest.mark.parametrize("leave", [close, reset])
def test_a_stream_is_cut_at_the_provider_within_a_chunk(
    platform: PlatformProcess, provider: ScriptedProvider, leave: Leave
) -> None:
    """A caller who closes right after asking may still read (half-closed); the next chunk shows that he does not."""
    goes_on = asyncio.Event()
    provider.plays("up-house", streams([word("one "), goes_on, word("two ")], end="open"))
    caller = LeavingCaller(platform, stream=True)
    caller.read_until(b"one ")
    (turn,) = provider.seen()
    leave(caller.socket)
    provider.signal(goes_on)
    turn.left.result(WAIT_SECONDS_MAX)
    assert not turn.ended
    record = written_down(platform, caller.id)
    assert (record.ending, record.status, record.usage_source) == ("client_left_after_first_byte", 499, "counted")
    assert record.usage.output >= 1
    assert record.usage.input > 0


def test_a_provider_that_is_silent_is_let_go_at_once(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """Whether it has begun to answer or not."""
    for script in (says_nothing, streams([word("one ")], end="open")):
        provider.plays("up-house", script)
        caller = LeavingCaller(platform, stream=True)
        (turn,) = provider.seen()
        if script is not says_nothing:
            caller.read_until(b"one ")
        reset(caller.socket)
        turn.left.result(WAIT_SECONDS_MAX)
        assert not turn.ended


def test_a_stream_to_be_drained_is_read_to_its_usage(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    goes_on = asyncio.Event()
    provider.plays("up-drained", streams([word("one "), goes_on, word("two ") + LAST]))
    caller = LeavingCaller(platform, model="drained", stream=True)
    caller.read_until(b"one ")
    reset(caller.socket)
    assert platform.ask(path="/healthz", method="GET").status == 200  # by then the reset has been seen
    provider.signal(goes_on)
    record = written_down(platform, caller.id)
    assert (record.ending, record.usage_source) == ("client_left_after_first_byte", "drained")
    assert (record.usage.input, record.usage.output) == (60, 12)
    assert provider.turns[0].ended


def test_a_buffered_call_is_drained(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    goes_on = asyncio.Event()

    async def play(turn: Turn) -> None:
        await goes_on.wait()
        await answers(said("nobody hears this"))(turn)

    provider.plays("up-house", play)
    caller = LeavingCaller(platform, user="who left")
    (turn,) = provider.seen()
    reset(caller.socket)
    assert platform.ask(path="/healthz", method="GET").status == 200
    assert not turn.left.done(), "the provider is not let go"
    provider.signal(goes_on)
    line = platform.logged(lambda line: line.get("ending") == "client_left_before_first_byte" and not line["stream"])
    record = platform.record(str(line["request_id"]))
    assert record.tags == {"user": "who left"}
    assert (record.usage_source, record.usage.input, record.usage.output) == ("drained", 60, 12)
    assert turn.ended


def test_a_connection_whose_caller_left_serves_the_next(platform: PlatformProcess, provider: ScriptedProvider) -> None:
    """What was drained is kept, what was cut is not; nobody reads another's answer."""
    provider.plays("up-house", streams([word("one ")], end="open"), answers(said("mine")))
    caller = LeavingCaller(platform, stream=True)
    caller.read_until(b"one ")
    reset(caller.socket)
    for _ in range(5):
        assert json.loads(platform.ask({"model": "house-1", "messages": [{}]}).body)["choices"][0]["message"] == {
            "role": "assistant",
            "content": "mine",
        }


def written_down(platform: PlatformProcess, request_id: str) -> UsageRecord:
    platform.logged(lambda line: line.get("request_id") == request_id)
    return platform.record(request_id)

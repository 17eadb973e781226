"""How many Python functions the event loop enters for a call, and for each chunk of a stream: what a call costs grows
with them, and their number is the same on every machine."""

import json
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.platform_process import PlatformProcess
from tests.support.scripted_provider import LAST, WAIT_SECONDS_MAX, ScriptedProvider, answers, streams

CALLS_OF_A_CALL = 193
CALLS_OF_A_CHUNK = 8
ROUNDS = 100
ANSWER = json.dumps(
    {
        "id": "c1",
        "object": "chat.completion",
        "created": 1,
        "model": "up",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72},
    }
).encode()
"""As providers answer: what is left out of it is read the careful way."""


class CountedPlatform:
    """A platform that counts, and one connection of a caller to it."""

    def __init__(self, platform: PlatformProcess, out: Path) -> None:
        self._platform, self._out = platform, out
        self._connection = socket.create_connection(("127.0.0.1", platform.port), WAIT_SECONDS_MAX)

    def counted(self, work: Callable[[], None]) -> Counter[str]:
        """How often the loop enters each function while `work` is done."""
        self._platform.process.send_signal(signal.SIGUSR1)
        self._look()  # the signal has been taken when this is answered
        work()
        self._out.unlink(missing_ok=True)
        self._platform.process.send_signal(signal.SIGUSR1)
        while not self._out.exists() or not (text := self._out.read_text(encoding="utf-8")):
            self._look()
        return Counter(json.loads(text))

    def ask(self, end: bytes = b"}", **members: Any) -> None:
        """One call on the connection, read up to the `end` of its answer."""
        self._exchange(self._platform.raw(**members), end)

    def close(self) -> None:
        self._connection.close()

    def _look(self) -> None:
        self._exchange(b"GET /healthz HTTP/1.1\r\nhost: h\r\n\r\n", b"}")

    def _exchange(self, asked: bytes, end: bytes) -> None:
        self._connection.sendall(asked)
        received = b""
        while not received.endswith(end):
            piece = self._connection.recv(65_536)
            assert piece, received
            received += piece
        assert received.startswith(b"HTTP/1.1 200 "), received


@pytest.fixture
def counted(start: Start, provider: ScriptedProvider, tmp_path: Path) -> Iterator[CountedPlatform]:
    out = tmp_path / "calls"
    platform = start(program=("tests.end_to_end.call_counter", str(out)))
    provider.plays("up-house", answers(ANSWER))
    made = CountedPlatform(platform, out)
    for _ in range(10):
        made.ask()
    yield made
    made.close()


def test_a_buffered_call_enters_at_most_so_many_functions(counted: CountedPlatform) -> None:
    def work() -> None:
        for _ in range(ROUNDS):
            counted.ask()

    calls = _shared_out(counted.counted(work), ROUNDS)
    assert calls.total() <= CALLS_OF_A_CALL, _listed(calls)


def test_a_chunk_of_a_stream_enters_at_most_so_many_functions(
    counted: CountedPlatform, provider: ScriptedProvider
) -> None:
    def streamed(chunks: int) -> Counter[str]:
        provider.plays("up-house", streams([*map(_event, range(chunks)), LAST]))
        return counted.counted(lambda: counted.ask(end=b"0\r\n\r\n", stream=True))

    few, many = streamed(10), streamed(1_010)
    calls = _shared_out(many - few, 1_000)
    assert calls.total() <= CALLS_OF_A_CHUNK, _listed(calls)


def _shared_out(calls: Counter[str], times: int) -> Counter[str]:
    """Of each function, how often it is entered for one; what hardly ever is belongs to timers."""
    shares = Counter({name: round(count / times) for name, count in calls.items()})
    print(f"{shares.total()} calls")
    return shares


def _event(number: int) -> bytes:
    """As providers write it, without blanks."""
    choice = f'{{"index":0,"delta":{{"content":"word {number}"}},"logprobs":null,"finish_reason":null}}'
    delta = f'{{"id":"c1","object":"chat.completion.chunk","created":1,"model":"up","choices":[{choice}]}}'
    return f"data: {delta}\n\n".encode()


def _listed(calls: Counter[str]) -> str:
    """What is entered, the most often first, a line each."""
    return "\n".join(f"{count} {name}" for name, count in calls.most_common() if count)

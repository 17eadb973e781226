"""How many Python functions the event loop enters for a call, and for each chunk of a stream: what a call costs grows
with them, and their number is the same on every machine."""

import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.platform_process import PlatformProcess
from tests.end_to_end.scripted_provider import LAST, WAIT_SECONDS_MAX, ScriptedProvider, answers, said, streams

CALLS_OF_A_CALL = 200
CALLS_OF_A_CHUNK = 8
ROUNDS = 100


class CountedPlatform:
    """A platform that counts, and one connection of a caller to it."""

    def __init__(self, platform: PlatformProcess, out: Path) -> None:
        self._platform, self._out = platform, out
        self._connection = socket.create_connection(("127.0.0.1", platform.port), WAIT_SECONDS_MAX)

    def counted(self, work: Callable[[], None]) -> int:
        """Functions that the loop enters while `work` is done."""
        self._platform.process.send_signal(signal.SIGUSR1)
        self.ask()  # the signal has been taken when this is answered
        work()
        self._out.unlink(missing_ok=True)
        self._platform.process.send_signal(signal.SIGUSR1)
        while not self._out.exists() or not (text := self._out.read_text(encoding="ascii")):
            self.ask()
        return int(text)

    def ask(self, end: bytes = b"}", **members: Any) -> None:
        """One call on the connection, read up to the `end` of its answer."""
        self._connection.sendall(self._platform.raw(**members))
        received = b""
        while not received.endswith(end):
            piece = self._connection.recv(65_536)
            assert piece, received
            received += piece
        assert received.startswith(b"HTTP/1.1 200 "), received


@pytest.fixture
def counted(start: Start, provider: ScriptedProvider, tmp_path: Path) -> CountedPlatform:
    out = tmp_path / "calls"
    platform = start(program=("tests.end_to_end.call_counter", str(out)))
    provider.plays("up-house", answers(said("hello")))
    made = CountedPlatform(platform, out)
    for _ in range(10):
        made.ask()
    return made


def test_a_buffered_call_enters_at_most_so_many_functions(counted: CountedPlatform) -> None:
    def work() -> None:
        for _ in range(ROUNDS):
            counted.ask()

    calls = counted.counted(work) / (ROUNDS + 1)
    print(f"{calls:.0f} calls")
    assert calls <= CALLS_OF_A_CALL


def test_a_chunk_of_a_stream_enters_at_most_so_many_functions(
    counted: CountedPlatform, provider: ScriptedProvider
) -> None:
    def streamed(chunks: int) -> int:
        provider.plays("up-house", streams([*map(_event, range(chunks)), LAST]))
        made = counted.counted(lambda: counted.ask(end=b"0\r\n\r\n", stream=True))
        provider.plays("up-house", answers(said("hello")))
        return made

    few, many = streamed(10), streamed(1_010)
    calls = (many - few) / 1_000
    print(f"{calls:.2f} calls")
    assert calls <= CALLS_OF_A_CHUNK


def _event(number: int) -> bytes:
    """As providers write it, without blanks."""
    delta = f'{{"id":"c1","choices":[{{"index":0,"delta":{{"content":"word {number}"}},"finish_reason":null}}]}}'
    return f"data: {delta}\n\n".encode()

"""B, who does nothing wrong: 20 small calls a second in a process of its own, and how long each took.

`python -m tests.hostile.neighbour PORT KEY MODEL WORDS` writes a line for each call that is over. A call is due by the
clock, not when the one before it is over: what the platform keeps waiting counts as waiting. Every tenth is streamed.
"""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from tests.hostile.launcher import ROOT, AttackedPlatform, TenantAccount

RATE: Final = 20
TIMEOUT_SECONDS: Final = 30
STREAMED_EVERY: Final = 10
SLOTS: Final = 800  # calls in flight at once; more than that is a platform that answers nobody


@dataclass(frozen=True)
class TimedCall:
    """due: seconds of the machine's monotonic clock. status 0: no answer within the time-out."""

    due: float
    ms: float
    status: int
    streamed: bool


@dataclass(frozen=True)
class Spell:
    """What B met in a stretch of time. Milliseconds; errors: answers other than a whole 200."""

    calls: int
    errors: int
    p50: float
    p99: float
    worst: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.0f} p99 {self.p99:.0f} max {self.worst:.0f} ms, {self.errors}/{self.calls} errors"


def spell(calls: Iterable[TimedCall]) -> Spell:
    every = list(calls)
    times = sorted(call.ms for call in every) or [0.0]
    errors = sum(call.status != 200 for call in every)
    return Spell(len(every), errors, times[len(times) // 2], times[int(len(times) * 0.99)], times[-1])


class Neighbour:
    """`with Neighbour(platform, account) as b`: `b.mark()`, then `b.since(mark)`."""

    def __init__(
        self, platform: AttackedPlatform, account: TenantAccount, *, model: str = "house-1", says: str = "good morning"
    ) -> None:
        self.account = account
        asked = [str(platform.port), account.key, model, says]
        self._words = [sys.executable, "-m", "tests.hostile.neighbour", *asked]
        self._news = threading.Condition()
        self._calls: list[TimedCall] = []

    def __enter__(self) -> "Neighbour":
        self._process = subprocess.Popen(self._words, stdout=subprocess.PIPE, stdin=subprocess.PIPE, cwd=ROOT)
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        with self._news:
            assert self._news.wait_for(lambda: len(self._calls) >= RATE, TIMEOUT_SECONDS * 2), "B is never answered"
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.kill()
        self._process.wait()
        self._reading.join()
        self._process.stdin.close()
        self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._news:
                self._calls.append(TimedCall(**json.loads(line)))
                self._news.notify_all()

    def mark(self) -> float:
        return time.monotonic()

    def for_seconds(self, seconds: float) -> Spell:
        """What B meets from now on for so long."""
        begin = self.mark()
        return self.between(begin, begin + seconds)

    def between(self, begin: float, end: float) -> Spell:
        """Of the calls that were due then, as soon as each is answered or has timed out."""

        def over() -> bool:
            return any(call.due >= end for call in self._calls) or time.monotonic() > end + TIMEOUT_SECONDS + 5

        with self._news:
            while not over():
                self._news.wait(0.1)
        slowest = time.monotonic() + TIMEOUT_SECONDS + 5
        wanted = int((end - begin) * RATE) - 2
        with self._news:
            while len(self._within(begin, end)) < wanted and time.monotonic() < slowest:
                self._news.wait(0.1)
            return spell(self._within(begin, end))

    def since(self, begin: float) -> Spell:
        return self.between(begin, self.mark())

    def _within(self, begin: float, end: float) -> list[TimedCall]:
        return [call for call in self._calls if begin <= call.due < end]


# The process itself.


class NeighbourCaller:
    def __init__(self, port: int, key: str, model: str, says: str) -> None:
        self._port = port
        self._key = key
        self._asked: dict[str, Any] = {"model": model, "messages": [{"role": "user", "content": says}]}
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    def _request(self, streamed: bool) -> bytes:
        body = json.dumps({**self._asked, "max_tokens": 16, **({"stream": True} if streamed else {})})
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {self._key}\r\n"
        return f"{head}content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n{body}".encode()

    async def call(self, due: float, streamed: bool) -> None:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                status = await self._exchange(streamed)
        except (OSError, asyncio.IncompleteReadError, ValueError, TimeoutError):
            status = 0
        ms = (time.monotonic() - due) * 1000
        print(json.dumps({"due": due, "ms": ms, "status": status, "streamed": streamed}), flush=True)

    async def _exchange(self, streamed: bool) -> int:
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            writer.write(self._request(streamed))
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            status = int(head.split(b" ", 2)[1])
            if b"chunked" in head:
                size = 1
                while size:
                    size = int(await reader.readline(), 16)
                    await reader.readexactly(size + 2)
            else:
                await reader.readexactly(int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]))
        except BaseException:
            writer.close()
            raise
        self._idle.append((reader, writer))
        return status


async def main(port: int, key: str, model: str, says: str) -> None:
    caller = NeighbourCaller(port, key, model, says)
    running: set[asyncio.Task[None]] = set()
    tick = asyncio.Event()
    loop = asyncio.get_running_loop()
    begin = time.monotonic()
    for number in range(10**9):
        due = begin + number / RATE
        tick.clear()
        loop.call_at(due, tick.set)
        await tick.wait()
        if len(running) < SLOTS:
            task = asyncio.ensure_future(caller.call(due, number % STREAMED_EVERY == STREAMED_EVERY - 1))
            running.add(task)
            task.add_done_callback(running.discard)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))

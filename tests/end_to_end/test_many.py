"""Many at once and much at a time: streams that stay whole, memory that stays small. See what they print with `-rP`."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Start
from tests.end_to_end.platform_process import PlatformProcess, chat
from tests.support.scripted_provider import LAST, ScriptedProvider, answers, said, word
from tests.support.scripted_provider import streams as plays_streams

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
MILLION = 1_000_000
VOCABULARIES = 110  # MB


def bench(module: str, figure: str) -> None:
    """A measurement in a process of its own, because it binds itself to one core; it prints what it found."""
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{module}", figure], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout


def test_a_thousand_streams_at_once_are_all_whole() -> None:
    """50 chunks each, one every 100 ms; prints what a stream costs."""
    bench("streams", "1000")


def test_a_slow_reader_of_200_mb_holds_back_the_provider_and_not_memory() -> None:
    """Less than 2 MB more while 200 MB go by."""
    bench("slow_reader", "20")


def test_memory_is_given_back(start: Start, provider: ScriptedProvider) -> None:
    """Callers who stay and callers who leave, in rounds: once what is kept on purpose is there (pages of the database
    most of all), the last rounds leave no more behind than those before."""
    platform = start()
    provider.plays("up-house", plays_streams(word("one ") * 20 + LAST))

    def round_of_calls() -> int:
        asyncio.run(_calls(platform, 3_000))
        return platform.rss_bytes()

    seen = [round_of_calls() for _ in range(14)]
    print([f"{rss / MILLION:.1f} MB" for rss in seen])
    assert seen[-1] - seen[8] < 4 * MILLION, seen


async def _calls(platform: PlatformProcess, count: int) -> None:
    gate = asyncio.Semaphore(32)

    async def one(leaves: bool) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", platform.port)
            writer.write(platform.raw(stream=True))
            await reader.readuntil(b"one " if leaves else b"data: [DONE]\n\n")
            writer.close()

    await asyncio.gather(*(one(number % 4 == 0) for number in range(count)))


def test_large_bodies_side_by_side(start: Start, provider: ScriptedProvider) -> None:
    """Memory for some of them at once is kept; the next ones find it again. The vocabularies that are read beside the
    first calls come to it. In which round all eight meet for the first time is a matter of chance, so what they hold
    together may come to it later; what grows with every call is five times that in the rounds behind the first."""
    platform = start()
    provider.plays("up-house", answers(said("y" * 2 * MILLION)))

    def round_of_calls() -> int:
        statuses: list[int] = []
        callers = [threading.Thread(target=_large, args=(platform, statuses)) for _ in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        assert statuses == [200] * 40
        return platform.rss_bytes()

    seen = [platform.rss_bytes(), *(round_of_calls() for _ in range(4))]
    print([f"{rss / MILLION:.1f} MB" for rss in seen])
    assert seen[1] - seen[0] < (120 + VOCABULARIES) * MILLION
    assert seen[-1] - seen[1] < 8 * (2 + 2) * MILLION


def _large(platform: PlatformProcess, statuses: list[int]) -> None:
    body = chat(messages=[{"role": "user", "content": "x" * 2 * MILLION}])
    for _ in range(5):
        statuses.append(platform.ask(body).status)

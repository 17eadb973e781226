"""Many at once and much at a time: streams that stay whole, memory that stays small."""

import asyncio
import threading

import pytest

from bench import contenders, slow_reader, streams
from tests.journey.conftest import Start
from tests.journey.platform_process import Platform, chat
from tests.journey.scripted_provider import LAST, Provider, answers, said, word
from tests.journey.scripted_provider import streams as plays_streams

pytestmark = pytest.mark.long

STREAMS = 1_000
READ_BYTES_PER_S = 20e6
MILLION = 1_000_000


def test_a_thousand_streams_at_once_are_all_whole() -> None:
    """Prints what one costs; 50 chunks each, one every 100 ms."""
    with contenders.gateway_alone() as server:
        assert asyncio.run(streams.measure(server, STREAMS))


def test_a_slow_reader_of_200_mb_holds_back_the_provider_and_not_memory() -> None:
    with contenders.gateway_alone() as server:
        assert asyncio.run(slow_reader.measure(server, READ_BYTES_PER_S)) < slow_reader.GROWTH_MAX


def test_memory_is_given_back(start: Start, provider: Provider) -> None:
    """Callers who stay and callers who leave, in rounds: the last ones leave no more behind than the first."""
    house = start()
    provider.plays("up-house", plays_streams(word("one ") * 20 + LAST))

    def round_of_calls() -> int:
        asyncio.run(_calls(house, 3_000))
        return house.rss_bytes()

    seen = [round_of_calls() for _ in range(5)]
    print([f"{rss / MILLION:.1f} MB" for rss in seen])
    assert seen[-1] - seen[1] < 4 * MILLION, seen


async def _calls(house: Platform, count: int) -> None:
    gate = asyncio.Semaphore(32)

    async def one(leaves: bool) -> None:
        async with gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
            writer.write(house.raw(stream=True))
            await reader.readuntil(b"one " if leaves else b"data: [DONE]\n\n")
            writer.close()

    await asyncio.gather(*(one(number % 4 == 0) for number in range(count)))


def test_large_bodies_side_by_side(start: Start, provider: Provider) -> None:
    house = start()
    provider.plays("up-house", answers(said("y" * 2 * MILLION)))
    before, statuses = house.rss_bytes(), list[int]()
    callers = [threading.Thread(target=_large, args=(house, statuses)) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert statuses == [200] * 40
    assert house.rss_bytes() - before < 120 * MILLION


def _large(house: Platform, statuses: list[int]) -> None:
    body = chat(messages=[{"role": "user", "content": "x" * 2 * MILLION}])
    for _ in range(5):
        statuses.append(house.ask(body).status)

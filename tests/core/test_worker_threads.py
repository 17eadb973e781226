"""FairThreads: accounts take turns, and nobody waits behind a stranger's work."""

import asyncio
import threading
from collections.abc import Callable, Iterator

import pytest

from tollhouse.core.failure import Overloaded
from tollhouse.threads import FairThreads


@pytest.fixture
def pool() -> Iterator[FairThreads]:
    made = FairThreads("test", threads=2, waiting_max=5)
    yield made
    made.close()


def test_result_and_error_of_the_work_come_back(pool: FairThreads) -> None:
    def fails() -> None:
        raise LookupError("no")

    async def main() -> None:
        assert await pool.run("a", lambda: 7) == 7
        with pytest.raises(LookupError, match="no"):
            await pool.run("a", fails)
        assert await pool.run("b", threading.current_thread) is not threading.current_thread()

    asyncio.run(main())


def test_one_account_leaves_a_thread_to_the_others(pool: FairThreads) -> None:
    async def main() -> None:
        hold = threading.Event()
        long = [asyncio.ensure_future(pool.run("a", hold.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        assert await pool.run("b", lambda: "at once") == "at once"
        assert not any(each.done() for each in long)
        hold.set()
        assert await asyncio.gather(*long) == [True] * 5

    asyncio.run(main())


def test_accounts_take_turns(pool: FairThreads) -> None:
    order: list[str] = []

    def note(name: str) -> Callable[[], None]:
        return lambda: order.append(name)

    async def main() -> None:
        hold = threading.Event()
        stranger = asyncio.ensure_future(pool.run("stranger", hold.wait))  # one thread is busy, the other is shared
        first = asyncio.ensure_future(pool.run("a", hold.wait))
        rest = [asyncio.ensure_future(pool.run(name, note(name))) for name in ("a", "a", "a", "b", "b")]
        await asyncio.sleep(0)
        hold.set()
        await asyncio.gather(stranger, first, *rest)

    asyncio.run(main())
    assert sorted(order) == ["a", "a", "a", "b", "b"]
    assert order.index("b") < 2


def test_work_of_a_cancelled_caller_is_dropped_if_it_had_not_begun(pool: FairThreads) -> None:
    ran: list[str] = []

    async def main() -> None:
        hold = threading.Event()
        running = asyncio.ensure_future(pool.run("a", hold.wait))
        waiting = asyncio.ensure_future(pool.run("a", lambda: ran.append("cancelled")))
        await asyncio.sleep(0)
        waiting.cancel()
        hold.set()
        await running
        await pool.run("a", lambda: ran.append("next"))

    asyncio.run(main())
    assert ran == ["next"]


def test_waiting_work_of_one_account_is_bounded(pool: FairThreads) -> None:
    async def main() -> None:
        hold = threading.Event()
        tasks = [asyncio.ensure_future(pool.run("a", hold.wait)) for _ in range(6)]  # one runs, five wait
        await asyncio.sleep(0)
        with pytest.raises(Overloaded):
            await pool.run("a", hold.wait)
        assert await pool.run("b", lambda: "b") == "b"
        hold.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_one_thread_is_refused() -> None:
    with pytest.raises(ValueError, match="shared"):
        FairThreads("test", threads=1)

"""Names that customers choose hang as long as they like: providers' names are looked up at once, in other threads."""

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest

from tests.upstream.conftest import Run
from tests.upstream.hostile import OK, Peer, ask, new_client, outcome, post, route_to, until
from tests.upstream.test_address import LookupClock
from tollhouse.core.failure import UpstreamTimeout, UpstreamUnreachable
from tollhouse.core.upstream import Deadlines
from tollhouse.upstream.fair_semaphore import FairSemaphore
from tollhouse.upstream.resolve import (
    ACCOUNT_LOOK_UPS_MAX,
    CUSTOMERS_LOOK_UPS_MAX,
    LAST_GOOD_SECONDS,
    Resolver,
    in_thread,
    turns_of_customers,
)

HELLO = OK + b"content-length: 5\r\n\r\nhello"
SHORT = Deadlines(connect_ms=200)


class SlowNames:
    """A resolver as the system's, where names of `.slow` get no answer until `answer` is set."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        return await in_thread(lambda: self._look_up(host))

    def _look_up(self, host: str) -> list[str]:
        self.asked.append(host)
        if host.endswith(".slow"):
            self.answer.wait(20)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return ["127.0.0.1"]


@pytest.mark.parametrize("count", [10, 1_000])
def test_names_that_hang_delay_no_call_to_a_provider(run: Run, count: int) -> None:
    names = SlowNames()

    async def main() -> None:
        letters, network = new_client(customers=True, look_up=names), new_client(look_up=names)
        calls = []
        for number in range(count):
            call = post(route_to(80, host=f"n{number}.slow"), deadlines=Deadlines(connect_ms=20_000))
            call.account_id = "acc_a"
            calls.append(asyncio.ensure_future(outcome(letters, call)))
        await until(lambda: len(names.asked) == ACCOUNT_LOOK_UPS_MAX)
        async with Peer([ask, HELLO]) as peer:
            served = post(route_to(peer.port, host="provider.example"))
            assert await outcome(network, served) == (200, b"hello")
            other = post(route_to(peer.port, host="hooks.example"))
            other.account_id = "acc_b"
            assert await outcome(letters, other) == (200, b"hello"), "another account's webhook leaves too"
        assert len(names.asked) == ACCOUNT_LOOK_UPS_MAX + 2, "one account has no more threads than it may"
        for running in calls:
            running.cancel()
        names.answer.set()
        await asyncio.wait(calls)
        await letters.close()
        await network.close()

    run(main())


def test_many_accounts_with_names_that_hang_have_so_many_threads_and_no_more(run: Run) -> None:
    names = SlowNames()

    async def main() -> None:
        letters = new_client(customers=True, look_up=names)
        calls = []
        for number in range(4 * CUSTOMERS_LOOK_UPS_MAX):
            call = post(route_to(80, host=f"n{number}.slow"), deadlines=SHORT)
            call.account_id = f"acc_{number}"
            calls.append(asyncio.ensure_future(outcome(letters, call)))
        assert {await one for one in calls} == {(0, UpstreamTimeout)}, "the deadline frees the caller"
        assert len(names.asked) == CUSTOMERS_LOOK_UPS_MAX, "and not the thread"
        names.answer.set()
        await letters.close()

    run(main())


def test_the_default_executor_is_nobody_s(run: Run) -> None:
    """Whatever else fills it: neither names nor certificates wait for it."""

    async def main() -> None:
        asyncio.get_running_loop().set_default_executor(_Full())
        async with Peer([ask, HELLO]) as peer:
            for client in (new_client(customers=True), new_client()):
                assert await outcome(client, post(route_to(peer.port, host="localhost"))) == (200, b"hello")
                secured = route_to(peer.port, scheme="https", host="localhost")
                assert (await outcome(client, post(secured, deadlines=Deadlines(connect_ms=2_000))))[0] == 0
                await client.close()

    run(main())


class _Full(ThreadPoolExecutor):
    def submit(self, *work: Any, **more: Any) -> Any:
        raise AssertionError("the default executor was asked")


def test_one_name_that_hangs_has_one_thread_however_often_it_is_asked_for(run: Run) -> None:
    asked = []

    async def hangs(host: str, port: int) -> list[str]:
        asked.append(host)
        await asyncio.Event().wait()
        return []

    async def main() -> None:
        clock = LookupClock()
        resolver = Resolver(clock, hangs)
        for _ in range(20):
            clock.ns += 60_000_000_000
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await resolver.addresses("provider.slow", 443)
        assert asked == ["provider.slow"]

    run(main())


def test_a_provider_s_last_good_addresses_are_used_while_its_resolver_fails(run: Run) -> None:
    trouble: list[str] = []

    async def look_up(host: str, port: int) -> list[str]:
        if "hangs" in trouble:
            await asyncio.Event().wait()
        if "fails" in trouble:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [] if "empty" in trouble else ["192.0.2.1"]

    async def main() -> None:
        clock = LookupClock()
        resolver = Resolver(clock, look_up, last_good_seconds=LAST_GOOD_SECONDS, patience_seconds=0.001)
        customers = Resolver(clock, look_up, turns_of_customers())
        assert await resolver.addresses("p.example", 443) == await customers.addresses("p.example", 443)
        for trouble[:] in (["fails"], ["empty"]):
            clock.ns += 6_000_000_000
            assert await resolver.addresses("p.example", 443) == ["192.0.2.1"]
        trouble[:] = ["fails"]
        with pytest.raises(socket.gaierror):
            await customers.addresses("p.example", 443)
        clock.ns += LAST_GOOD_SECONDS * 1_000_000_000
        with pytest.raises(socket.gaierror):
            await resolver.addresses("p.example", 443)
        trouble.clear()
        assert await resolver.addresses("p.example", 443) == ["192.0.2.1"]
        clock.ns += 6_000_000_000
        trouble[:] = ["hangs"]
        assert await resolver.addresses("p.example", 443) == ["192.0.2.1"]

    run(main())


def test_who_waits_for_a_turn_for_ever_gives_up(run: Run) -> None:
    letting = asyncio.Event()

    async def hangs(host: str, port: int) -> list[str]:
        await letting.wait()
        return ["127.0.0.1"]

    async def main() -> None:
        turns = turns_of_customers()
        resolver = Resolver(LookupClock(), hangs, turns, line_seconds=0.01)
        waiting = [asyncio.ensure_future(resolver.addresses(f"n{number}.slow", 80, "acc_a")) for number in range(100)]
        await until(lambda: sum(one.done() for one in waiting) == 100 - ACCOUNT_LOOK_UPS_MAX)
        assert (turns.running, turns.waiting) == (ACCOUNT_LOOK_UPS_MAX, 0)
        letting.set()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert sum(isinstance(one, OSError) for one in ended) == 100 - ACCOUNT_LOOK_UPS_MAX
        assert turns.running == 0

    run(main())


def test_turns_go_to_who_has_the_least_running(run: Run) -> None:
    async def main() -> None:
        turns, order = FairSemaphore(in_all=3, each=2), []
        leave = asyncio.Event()

        async def works(account_id: str) -> None:
            async with turns.turn(account_id):
                order.append(account_id)
                await leave.wait()

        tasks = [asyncio.ensure_future(works(account_id)) for account_id in ("a", "a", "a", "a", "b", "c", "c")]
        await until(lambda: turns.waiting == 4)
        assert order == ["a", "a", "b"]
        tasks[2].cancel()
        await asyncio.wait([tasks[2]])
        tasks[4].cancel()
        await until(lambda: len(order) == 4)
        assert order[-1] == "c"
        leave.set()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (turns.running, turns.waiting, sorted(order)) == (0, 0, ["a", "a", "a", "b", "c", "c"])

    run(main())


def test_whoever_leaves_a_line_at_any_moment_leaves_nothing_behind(run: Run) -> None:
    async def main() -> None:
        turns, random = FairSemaphore(3, 2), Random(1)
        defects: list[BaseException] = []

        async def one(number: int) -> None:
            try:
                async with turns.turn(f"a{number % 4}"):
                    for _ in range(random.randrange(4)):
                        await asyncio.sleep(0)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # guard: collected for the assertion
                defects.append(error)

        for _ in range(200):
            tasks = [asyncio.ensure_future(one(number)) for number in range(12)]
            while not all(task.done() for task in tasks):
                random.choice(tasks).cancel()
                await asyncio.sleep(0)
        assert not defects
        assert (turns.running, turns.waiting) == (0, 0)
        assert not turns._waiting

    run(main())


def test_a_name_that_does_not_exist_is_unreachable_at_once(run: Run) -> None:
    names = SlowNames()
    names.answer.set()

    async def main() -> None:
        client = new_client(look_up=names)
        assert await outcome(client, post(route_to(80, host="nobody.slow"))) == (0, UpstreamUnreachable)
        await client.close()

    run(main())

"""Host names to addresses, by the system's resolver, each look-up in a thread of its own.

No executor is shared: a look-up cannot be stopped, and one that hangs keeps its thread for half a minute and more. So
the number of threads is bounded by `FairSemaphore`, in all and of one account, and those who look up providers have
other turns than those who look up what customers chose.

An answer is kept for a few seconds, and callers who ask for the same name share one look-up for as long as it runs. A
failed look-up is not kept. Where a resolver keeps the last good answer, it gives that one while the system's resolver
fails or is slow.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, TypeVar

from tollhouse.core.clock import Clock
from tollhouse.upstream.fair_semaphore import FairSemaphore

T = TypeVar("T")

LookUp = Callable[[str, int], Awaitable[list[str]]]
"""Host and port to addresses, best first. Raises OSError (socket.gaierror) where the name has none."""

_KEEP_NS: Final = 5_000_000_000
_NAMES_MAX: Final = 1_024  # whose answers are kept
LAST_GOOD_SECONDS: Final = 3_600
LOOK_UPS_MAX: Final = 64  # of providers' names at once; of one name there is one
CUSTOMERS_LOOK_UPS_MAX: Final = 32
ACCOUNT_LOOK_UPS_MAX: Final = 2


async def in_thread(work: Callable[[], T]) -> T:
    """Run `work` in a thread made for it, which the end of the process does not wait for."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def finish(result: T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(result)  # type: ignore[arg-type]
        else:
            done.set_exception(error)

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except Exception as error:  # guard: whatever it is, who waits is told
            failed = error
        try:
            loop.call_soon_threadsafe(finish, result, failed)
        except RuntimeError:  # the loop has ended, and with it who waited
            return

    threading.Thread(target=run, name="tollhouse-look-up", daemon=True).start()
    return await done


async def system_look_up(host: str, port: int) -> list[str]:
    found = await in_thread(lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def turns_of_providers() -> FairSemaphore:
    return FairSemaphore(LOOK_UPS_MAX, LOOK_UPS_MAX)


def turns_of_customers() -> FairSemaphore:
    return FairSemaphore(CUSTOMERS_LOOK_UPS_MAX, ACCOUNT_LOOK_UPS_MAX)


class Resolver:
    """`last_good_seconds`: how long an answer is given in place of one that fails; 0: never. `patience_seconds`: for a
    new answer, where the last good one could be given. `line_seconds`: how long a look-up waits for its turn."""

    def __init__(
        self,
        clock: Clock,
        look_up: LookUp,
        turns: FairSemaphore | None = None,
        *,
        last_good_seconds: int = 0,
        patience_seconds: float = 1.0,
        line_seconds: float = 5.0,
    ) -> None:
        self._patience_seconds = patience_seconds
        self._line_seconds = line_seconds
        self._clock = clock
        self._look_up = look_up
        self._turns = turns_of_providers() if turns is None else turns
        self._last_good_ns = last_good_seconds * 1_000_000_000
        self._known: dict[tuple[str, int], tuple[int, list[str]]] = {}  # with the tick of the answer
        self._asking: dict[tuple[str, str, int], asyncio.Task[list[str]]] = {}

    async def addresses(self, host: str, port: int, account_id: str = "") -> list[str]:
        """`account_id`: who chose the name, and so whose turn a look-up takes; empty: the operator.

        Raises OSError where the name has no address.
        """
        asked_ns = self._clock.ticks_ns()
        known_ns, known = self._known.get((host, port), (0, None))
        if known is not None and asked_ns < known_ns + _KEEP_NS:
            return known
        asking = self._asking.get((account_id, host, port)) or self._ask(account_id, host, port)
        if known is None or asked_ns >= known_ns + self._last_good_ns:
            return await asyncio.shield(asking)  # one caller's leaving must not take the answer from the others
        await asyncio.wait([asking], timeout=self._patience_seconds)
        failed = not asking.done() or asking.cancelled() or asking.exception() is not None or not asking.result()
        return known if failed else asking.result()

    def _ask(self, account_id: str, host: str, port: int) -> asyncio.Task[list[str]]:
        asking = asyncio.ensure_future(self._in_turn(account_id, host, port))
        self._asking[account_id, host, port] = asking
        asking.add_done_callback(lambda task: self._keep(account_id, host, port, task))
        return asking

    async def _in_turn(self, account_id: str, host: str, port: int) -> list[str]:
        async with AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(self._line_seconds):
                    await turn.enter_async_context(self._turns.turn(account_id))
            except TimeoutError:
                raise OSError("too many names are being looked up") from None
            return await self._look_up(host, port)

    def _keep(self, account_id: str, host: str, port: int, task: asyncio.Task[list[str]]) -> None:
        self._asking.pop((account_id, host, port), None)
        if task.cancelled() or task.exception() is not None or not task.result():
            return
        self._known.pop((host, port), None)
        if len(self._known) >= _NAMES_MAX:
            del self._known[next(iter(self._known))]
        self._known[host, port] = self._clock.ticks_ns(), task.result()

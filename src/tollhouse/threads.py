"""Threads for work that is too large for the event loop, shared fairly among accounts.

Accounts take turns: the account that was served longest ago is served next, however much work another has waiting. One
account never uses the last free thread, so the first piece of work of any other account begins at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tollhouse.core.failure import MemoryTaken
from tollhouse.core.workers import T


@dataclass(slots=True)
class _Turns:
    """The work of one account: how much runs, and what waits."""

    running: int = 0
    waiting: deque[tuple[asyncio.Future[Any], Callable[[], Any]]] = field(default_factory=deque)


class FairThreads:
    """See `core.workers.WorkerThreads`. Belongs to one event loop. Threads start when they are first needed.

    threads: at least 2. waiting_max: pieces of work that one account may have waiting.
    """

    def __init__(self, name: str, threads: int = 2, waiting_max: int = 256) -> None:
        if threads < 2:
            raise ValueError("one thread cannot be shared: the first account would take it from all others")
        self.name = name
        self._threads = threads
        self._waiting_max = waiting_max
        self._free = threads
        self._accounts: dict[str, _Turns] = {}  # in the order of their next turns
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, account_id: str, work: Callable[[], T]) -> T:
        """See the port. Work that has begun runs to its end, also if the caller is cancelled meanwhile."""
        turns = self._accounts.get(account_id)
        if turns is None:
            turns = self._accounts[account_id] = _Turns()
        if len(turns.waiting) >= self._waiting_max:
            raise MemoryTaken(
                "too many large requests of this account wait to be read: try again", retry_after_ms=1_000
            )
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        turns.waiting.append((result, work))
        self._start()
        return await result

    @property
    def waiting(self) -> int:
        """Pieces of work that no thread has taken yet."""
        return sum(len(turns.waiting) for turns in self._accounts.values())

    def close(self) -> None:
        """Let go of the threads. Work that has begun is finished, work that waits is dropped."""
        self._executor.shutdown(cancel_futures=True)

    def _start(self) -> None:
        """Give the free threads to the accounts whose turn it is."""
        while self._free:
            account_id = self._next()
            if account_id is None:
                return
            turns = self._accounts.pop(account_id)
            self._accounts[account_id] = turns  # to the end of the line
            result, work = turns.waiting.popleft()
            if result.cancelled():
                self._forget_idle(account_id, turns)
                continue
            self._free -= 1
            turns.running += 1
            done = asyncio.get_running_loop().run_in_executor(self._executor, work)
            done.add_done_callback(lambda done, result=result, name=account_id: self._done(name, result, done))  # type: ignore[misc]

    def _next(self) -> str | None:
        """The account that was served longest ago, of those that have work waiting and may use a thread."""
        for account_id, turns in self._accounts.items():
            if turns.waiting and turns.running < self._threads - 1:
                return account_id
        return None

    def _done(self, account_id: str, result: asyncio.Future[Any], done: asyncio.Future[Any]) -> None:
        turns = self._accounts[account_id]
        turns.running -= 1
        self._free += 1
        self._forget_idle(account_id, turns)
        if not result.cancelled() and not done.cancelled():
            error = done.exception()
            if error is None:
                result.set_result(done.result())
            else:
                result.set_exception(error)
        self._start()

    def _forget_idle(self, account_id: str, turns: _Turns) -> None:
        if not turns.running and not turns.waiting:
            del self._accounts[account_id]

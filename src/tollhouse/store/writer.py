"""The one writer: a thread that commits, in one transaction, whatever arrived during its last commit.

There is no timed window: alone, a record is committed at once; under load the batches grow by themselves, also before
the thread sees them, while each turn of the event loop brings more. A waiter resumes when its record is on the disk;
the event loop is woken once a batch. A batch has a bound, and accounts take turns in it (`queue`).
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine

from tollhouse.core.clock import Clock
from tollhouse.core.failure import Overloaded
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store import requests
from tollhouse.store.batch import STEPS, Batches, Job, Step
from tollhouse.store.driver import ROWS_AT_ONCE
from tollhouse.store.queue import BATCH_MAX, WriteQueue, share

T = TypeVar("T")

_IDLE_SECONDS = 1.0  # without work for this long, maintenance runs
ROWS_PER_CHECKPOINT = 2_000
WAL_BYTES = 16 * 1024 * 1024
COMMITS_PER_CHECKPOINT = 300
"""A record alone writes some 12 pages of 4 KiB: so many fit into WAL_BYTES."""
TURN_S = 0.0002
"""How long the event loop may compute while this thread waits for the interpreter's lock, which it gives away with
every statement: a batch takes a dozen such turns. Python's own 5 ms starve it under a busy loop (`make bench-commit`).
It holds for the whole process, so whoever puts the process together sets it."""
_TURNS_MAX = 8  # of the event loop, for which a batch may grow: a commit costs as much as many rows


class Writer:
    """Its methods belong to the event loop; its thread ends with `close`."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        steps: Sequence[Step] = STEPS,
        rows_per_checkpoint: int = ROWS_PER_CHECKPOINT,
        *,
        wal_bytes: int = 0,
    ) -> None:
        """wal_bytes: room that SQLite's WAL gets before the first commit."""
        self.on_notice: Callable[[], None] = lambda: None
        """Called on the event loop when a charge has left something to tell people."""
        self._clock = clock
        self._rows_per_checkpoint = rows_per_checkpoint
        self._wal_bytes = wal_bytes
        self._batches = Batches(engine, steps)
        self._gathered: list[Job] = []
        """What came and is not handed over to the thread yet."""
        self._arrived: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._closing = False
        self._waiting = WriteQueue()
        self._left: list[Job] = []
        """Of the thread: what did not fit into the last batch."""
        self._last_came = False
        self._thread = threading.Thread(target=self._work, name="tollhouse-writer", daemon=True)
        self._thread.start()

    @property
    def trouble(self) -> str | None:
        """Why the database could not be written the last time; None while all is well. It heals by itself."""
        return self._batches.trouble

    @property
    def waiting(self) -> int:
        """Records and changes that are not durable yet."""
        return self._waiting.in_all

    def commit(self, record: UsageRecord) -> Awaitable[None]:
        """Wait until the record is durable. Raises Overloaded, or Defect for a record that can never be written.

        A cancelled waiter does not take the record back.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._submit(loop, Job(waiter, record, record.account_id))
        return waiter

    def note(self, record: UsageRecord) -> None:
        """Write down a call that counts in no sum. Nobody waits for it; where it cannot be written, it is lost."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        waiter.add_done_callback(_heard)
        with contextlib.suppress(Overloaded):
            self._submit(loop, Job(waiter, transaction=partial(requests.note, call=record)))

    async def change(self, transaction: Callable[[Connection], T], after: Callable[[T], None] | None = None) -> T:
        """Run `action` in the writer's thread and transaction; return its answer when it is durable.

        `action` may run twice (the first time rolled back), so it changes nothing but rows. `after` is called with the
        answer on the event loop, in the order of the commits and also if the waiter was cancelled: memory follows the
        database. Raises what `action` raises, Conflict, or Overloaded.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[T] = loop.create_future()
        self._submit(loop, Job(waiter, transaction=transaction, after=after))
        return await waiter

    async def close(self) -> None:
        """Commit what has arrived, then end the thread. What comes later gets Overloaded. Safe to call twice."""
        if not self._closing:
            self._closing = True
            self._hand_over()
            self._arrived.put(None)
        await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def _submit(self, loop: asyncio.AbstractEventLoop, job: Job) -> None:
        if self._closing:
            raise Overloaded("the service is shutting down: try again in a moment", retry_after_ms=1_000)
        self._waiting.admit(job)
        if not self._gathered:
            loop.call_soon(self._gather, loop, 0, _TURNS_MAX)
        self._gathered.append(job)

    def _gather(self, loop: asyncio.AbstractEventLoop, before: int, turns: int) -> None:
        """After a turn of the event loop: hand over what came, unless more may come with the next."""
        now = len(self._gathered)
        if turns and before < now < ROWS_AT_ONCE:
            loop.call_soon(self._gather, loop, now, turns - 1)
        elif now:
            self._hand_over()

    def _hand_over(self) -> None:
        gathered, self._gathered = self._gathered, []
        self._arrived.put(gathered)

    def _work(self) -> None:
        batches, more = self._batches, True
        if self._wal_bytes:
            batches.make_room(self._wal_bytes)
        while more:
            batch, more = self._take()
            if decided := batches.settle(batch):
                self._wake(decided, self.on_notice if batches.noticed else None)
            full = batches.since_checkpoint >= self._rows_per_checkpoint or batches.commits >= COMMITS_PER_CHECKPOINT
            if more and (full or not batch):
                batches.run_maintenance(self._clock.now_ms())
        if forsaken := self._batches.abandon():
            self._wake(forsaken, None)
        self._batches.run_maintenance(None)
        self._batches.disconnect()

    def _take(self) -> tuple[list[Job], bool]:
        """Wait for work, then take all there is, as far as one batch goes. False: it was the last."""
        batches = self._batches
        quiet = batches.trouble is None and not batches.uses.waiting() and not batches.since_checkpoint
        jobs, self._left = self._left, []
        if not jobs and not self._last_came:
            try:
                self._add(jobs, self._arrived.get(timeout=None if quiet else _IDLE_SECONDS))
            except queue.Empty:
                return jobs, True
        while not self._last_came and not self._arrived.empty():
            self._add(jobs, self._arrived.get())
        if len(jobs) > BATCH_MAX:
            jobs, self._left = share(jobs)
        return jobs, not self._last_came or bool(self._left)

    def _add(self, jobs: list[Job], arrived: list[Job] | None) -> None:
        if arrived is None:
            self._last_came = True
        else:
            jobs += arrived

    def _wake(self, batch: Sequence[Job], on_notice: Callable[[], None] | None) -> None:
        # A loop that is closed has no waiters left.
        with contextlib.suppress(RuntimeError):
            loop = batch[0].waiter.get_loop()
            loop.call_soon_threadsafe(self._finish, batch)
            if on_notice is not None:
                loop.call_soon_threadsafe(on_notice)

    def _finish(self, batch: Sequence[Job]) -> None:
        self._waiting.written(batch)
        _deliver(batch)


def _heard(waiter: "asyncio.Future[None]") -> None:
    """The loop would complain of a failure that nobody has asked for."""
    if not waiter.cancelled():
        waiter.exception()


def _deliver(batch: Sequence[Job]) -> None:
    for job in batch:
        if job.after is not None and job.error is None:
            try:
                job.after(job.result)
            except Exception as error:  # guard: one that cannot follow must not keep the others from hearing
                job.error = error
        if job.waiter.done():
            continue
        if job.error is None:
            job.waiter.set_result(job.result)
        else:
            job.waiter.set_exception(job.error)

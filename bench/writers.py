"""Writers that `bench.commit` compares, as one: who commits, and where the kernel counts what it costs."""

import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tollhouse.clock import SystemClock
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.database import open_store
from tollhouse.store.writer import TURN_S


class Committing(Protocol):
    def commit(self, record: UsageRecord) -> Awaitable[None]: ...


@dataclass(frozen=True)
class WriterContender:
    """A writer, and where the kernel counts its CPU time: the stat file of a thread or a process."""

    writer: Committing
    stat: Path


Opening = Callable[[Path], AbstractAsyncContextManager[WriterContender]]


@asynccontextmanager
async def thread(folder: Path) -> AsyncIterator[WriterContender]:
    """The writer as the platform has it."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        async with patient_thread(folder) as contender:
            yield contender
    finally:
        sys.setswitchinterval(before_s)


@asynccontextmanager
async def patient_thread(folder: Path) -> AsyncIterator[WriterContender]:
    """The same thread, where the interpreter's lock is asked for after Python's own 5 ms."""
    store = open_store("sqlite:///bench.db", create=True, clock=SystemClock(), folder=folder)
    (own,) = [one for one in threading.enumerate() if one.name == "tollhouse-writer"]
    try:
        yield WriterContender(store.writer, Path(f"/proc/self/task/{own.native_id}/stat"))
    finally:
        await store.close()

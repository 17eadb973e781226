"""Questions to the database, answered in a few threads, each with a deadline: a slow report never holds up the loop."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, exc

from tollhouse.core.clock import Clock
from tollhouse.core.failure import Overloaded
from tollhouse.store.engines import READERS, Engines

T = TypeVar("T")

DEADLINE_MS = 10_000
_STEPS_PER_LOOK = 20_000  # of SQLite's virtual machine, well under a millisecond


class Readers:
    def __init__(self, engines: Engines, clock: Clock) -> None:
        self._engines = engines
        self._clock = clock
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="tollhouse-reader")

    async def read(self, question: Callable[[Connection], T], deadline_ms: int = DEADLINE_MS) -> T:
        """Ask in one read-only transaction. Raises Overloaded after `deadline_ms`, waiting for a thread included, or
        when the database is away, and what `question` raises."""
        end_ns = self._clock.ticks_ns() + deadline_ms * 1_000_000
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._ask, question, end_ns)

    def close(self) -> None:
        """Wait for running questions; their deadlines bound the wait."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _ask(self, question: Callable[[Connection], T], end_ns: int) -> T:
        left_ms = (end_ns - self._clock.ticks_ns()) // 1_000_000
        if left_ms <= 0:
            raise _too_slow()
        try:
            with self._engines.reading.begin() as connection:
                if not self._engines.sqlite:
                    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {left_ms}")
                    return question(connection)
                driver = connection.connection.driver_connection
                assert isinstance(driver, sqlite3.Connection)
                driver.set_progress_handler(lambda: self._clock.ticks_ns() > end_ns, _STEPS_PER_LOOK)
                try:
                    return question(connection)
                finally:
                    driver.set_progress_handler(None, 0)
        except (exc.OperationalError, exc.InterfaceError) as error:
            if self._clock.ticks_ns() >= end_ns:
                raise _too_slow() from error
            raise Overloaded("the database does not answer: try again in a moment", retry_after_ms=1_000) from error
        except exc.TimeoutError as error:  # the pool
            raise _too_slow() from error


def _too_slow() -> Overloaded:
    return Overloaded("the database took too long to answer: ask for less, or try again", retry_after_ms=1_000)

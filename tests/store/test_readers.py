"""A question has a deadline, also one the database would chew on for ever."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from tests.store.samples import FixedClock
from tollhouse.core.failure import Overloaded
from tollhouse.store.database import open_store
from tollhouse.store.engines import connect
from tollhouse.store.readers import Readers

_ENDLESS = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")


class SteppingClock(FixedClock):
    """A millisecond goes by at each look."""

    def ticks_ns(self) -> int:
        self.ms += 1
        return super().ticks_ns()


def count(connection: Connection) -> int:
    found: int = connection.execute(text("SELECT 6 * 7")).scalar_one()
    return found


def test_an_endless_question_ends_and_its_connection_serves_the_next(database_url: str) -> None:
    async def scenario() -> None:
        engines = connect(database_url, Path())
        readers = Readers(engines, SteppingClock())
        endless = (readers.read(lambda connection: connection.execute(_ENDLESS).scalar(), 50) for _ in range(8))
        for failed in await asyncio.gather(*endless, return_exceptions=True):
            assert isinstance(failed, Overloaded)
        assert await asyncio.gather(*(readers.read(count) for _ in range(8))) == [42] * 8
        readers.close()
        engines.dispose()

    asyncio.run(scenario())


def test_what_a_question_raises_reaches_who_asked(database_url: str) -> None:
    async def scenario() -> None:
        store = open_store(database_url, create=True, clock=FixedClock())
        with pytest.raises(ZeroDivisionError):
            await store.read(lambda tables: 1 // 0)
        await store.close()

    asyncio.run(scenario())


def test_a_database_that_is_away_is_overload_and_no_defect() -> None:
    async def scenario() -> None:
        readers = Readers(connect("postgresql://nobody@127.0.0.1:1/none", Path()), FixedClock())
        with pytest.raises(Overloaded):
            await readers.read(count)
        readers.close()

    asyncio.run(scenario())

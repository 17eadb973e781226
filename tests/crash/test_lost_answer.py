"""A COMMIT whose answer is lost with its connection: nobody is told that a call is free before that is sure."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from sqlalchemy import Dialect, event

from tests.store.harness import begun, ids_on_disk, outcomes, trouble, writing
from tests.store.postgresql import PostgresqlServer
from tests.store.samples import request
from tollhouse.core.failure import Overloaded
from tollhouse.store.engines import Engines
from tollhouse.store.writer import Writer

Commit = Callable[[psycopg.Connection[Any]], None]


class Network:
    """Between the writer and PostgreSQL. `at_commit` is what the next COMMIT meets; `cut`: nobody gets through."""

    def __init__(self, engines: Engines) -> None:
        self.at_commit: Commit | None = None
        self.cut = False
        self.refused = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._kept: list[psycopg.Connection[Any]] = []
        event.listen(engines.writing, "do_connect", self._connect)
        engines.writing.dispose()  # whatever was connected before

    def _connect(self, _dialect: Dialect, _record: object, args: list[Any], named: dict[str, Any]) -> object:
        network = self

        class LossyConnection(psycopg.Connection[Any]):
            def commit(self) -> None:
                met, network.at_commit = network.at_commit, None
                if met is None:
                    super().commit()
                else:
                    met(self)

            def close(self) -> None:
                if self not in network._kept:
                    super().close()

        if self.cut:
            self._loop.call_soon_threadsafe(self.refused.set)
            raise psycopg.OperationalError("connection refused")
        return LossyConnection.connect(*args, **named)

    def done_but_not_told(self, connection: psycopg.Connection[Any]) -> None:
        psycopg.Connection.commit(connection)
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    def never_arrived(self, connection: psycopg.Connection[Any]) -> None:
        """The server knows of nothing: its side of the transaction stays open."""
        self._kept.append(connection)
        raise psycopg.OperationalError("could not receive data from server: connection timed out")

    def hang_up(self) -> None:
        for connection in self._kept:
            psycopg.Connection.close(connection)
        self._kept.clear()


@pytest.fixture
def url(postgresql_server: PostgresqlServer) -> str:
    return postgresql_server.database()


async def in_doubt(writer: Writer, network: Network) -> list[asyncio.Task[None]]:
    """The first call is written; the second is, too, but nobody was told, and nobody can be asked."""
    await writer.commit(request(1))
    network.at_commit = network.done_but_not_told
    network.cut = True
    waits = await begun(writer.commit(request(2)))
    await network.refused.wait()
    return waits


def test_who_waits_for_it_waits_until_the_server_is_back(url: str) -> None:
    async def scenario() -> None:
        async with writing(url) as (writer, engines):
            network = Network(engines)
            (waiting,) = await in_doubt(writer, network)
            assert await outcomes(writer.commit(request(3))) == [Overloaded], "a later one does not pass it"
            assert not waiting.done()
            assert trouble(writer) is not None
            network.cut = False
            await waiting
            await writer.commit(request(4))
            assert trouble(writer) is None

    asyncio.run(scenario())
    assert ids_on_disk(url) == ["req_1", "req_2", "req_4"]


def test_what_the_server_never_heard_of_is_ended_before_it_is_called_free(url: str) -> None:
    async def scenario() -> None:
        async with writing(url) as (writer, engines):
            network = Network(engines)
            await writer.commit(request(1))
            network.at_commit = network.never_arrived
            assert await outcomes(writer.commit(request(2))) == [Overloaded]
            with pytest.raises(psycopg.OperationalError):
                psycopg.Connection.commit(network._kept[0])  # it arrives after all: too late
            network.hang_up()
            await writer.commit(request(3))

    asyncio.run(scenario())
    assert ids_on_disk(url) == ["req_1", "req_3"]


def test_who_still_waits_at_the_end_is_not_left_hanging(url: str) -> None:
    async def scenario() -> None:
        async with writing(url) as (writer, engines):
            network = Network(engines)
            waits = await in_doubt(writer, network)
            await writer.close()
            assert await outcomes(*waits) == [Overloaded]

    asyncio.run(scenario())

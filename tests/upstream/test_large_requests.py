"""A large request is sent in turns of the event loop, and is not kept in memory once it has been sent."""

import asyncio
from typing import Any, cast

from tollhouse.upstream.connection import UpstreamConnection
from tollhouse.upstream.stream import ResponseBody

MIB = 1024 * 1024


class StubOwner:
    def ready(self, connection: UpstreamConnection) -> None: ...
    def forget(self, connection: UpstreamConnection) -> None: ...
    def gone(self, connection: UpstreamConnection) -> None: ...


class Transport(asyncio.Transport):
    """Takes all that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.written = 0
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += len(data)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self

    def setsockopt(self, *option: int) -> None: ...

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...

    def abort(self) -> None:
        self.aborted = True


class Nobody:
    """An answer nobody waits for."""

    def ended(self, *, orderly: bool) -> None: ...

    def wake(self) -> None: ...


def sending(body: bytes) -> tuple[UpstreamConnection, Transport]:
    connection, transport = UpstreamConnection(StubOwner()), Transport()
    connection.connection_made(transport)
    connection.start(cast(ResponseBody, Nobody()), b"", body)
    return connection, transport


def test_the_event_loop_turns_while_a_large_body_is_sent() -> None:
    async def main() -> None:
        connection, transport = sending(bytes(30 * MIB))
        turns = 0
        while connection.sending:
            before = transport.written
            await asyncio.sleep(0)
            turns += 1
            assert transport.written - before <= MIB
        assert transport.written == 30 * MIB
        assert turns >= 29

    asyncio.run(main())


def test_a_body_that_was_sent_is_not_kept() -> None:
    async def main() -> None:
        connection, _ = sending(bytes(3 * MIB))
        for _ in range(3):
            await asyncio.sleep(0)
        assert not connection.sending
        assert not connection._rest

    asyncio.run(main())


def test_a_provider_that_reads_slowly_is_waited_for_and_one_that_left_is_sent_nothing() -> None:
    async def main() -> None:
        connection, transport = sending(bytes(8 * MIB))
        connection.pause_writing()
        await asyncio.sleep(0)
        stopped = transport.written
        await asyncio.sleep(0)
        assert transport.written == stopped
        connection.resume_writing()
        await asyncio.sleep(0)
        assert transport.written > stopped
        connection.cut()
        stopped = transport.written
        await asyncio.sleep(0)
        assert (transport.written, transport.aborted, connection.sending) == (stopped, True, False)

    asyncio.run(main())

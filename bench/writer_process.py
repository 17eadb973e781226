"""The other writer that `bench.commit` tries: the same batches, but made by a process of its own.

Records go over a pair of sockets as MessagePack, one frame for whatever came in a turn of the event loop; the answer is
the number of records that are durable now. Only calls can go this way: a change by people is code on a connection.
"""

import asyncio
import os
import socket
import struct
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from bench.writers import WriterContender
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store import migration
from tollhouse.store.batch import STEPS, Batches, Job
from tollhouse.store.engines import connect

_URL = "sqlite:///bench.db"
_LENGTH = struct.Struct("<I")
_READ_BYTES = 1 << 20
_ROWS_PER_CHECKPOINT = 2_000


class _Far(asyncio.Protocol):
    """The event loop's end."""

    def __init__(self) -> None:
        self._encoder = msgspec.msgpack.Encoder()
        self._gathered: list[UsageRecord] = []
        self._waiters: deque[asyncio.Future[None]] = deque()
        self.transport: asyncio.WriteTransport

    async def commit(self, record: UsageRecord) -> None:
        loop = asyncio.get_running_loop()
        if not self._gathered:
            loop.call_soon(self._send)
        self._gathered.append(record)
        waiter = loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _send(self) -> None:
        frame = self._encoder.encode(self._gathered)
        self._gathered = []
        self.transport.write(_LENGTH.pack(len(frame)) + frame)

    def data_received(self, data: bytes) -> None:
        for (durable,) in _LENGTH.iter_unpack(data):
            for _ in range(durable):
                self._waiters.popleft().set_result(None)


@asynccontextmanager
async def process(folder: Path) -> AsyncIterator[WriterContender]:
    """The writer as a process behind the same port."""
    engines = connect(_URL, folder)
    migration.check(engines.writing, create=True)
    engines.dispose()
    near, far = socket.socketpair()
    with far:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bench.writer_process", str(folder), str(far.fileno()), pass_fds=[far.fileno()]
        )
    transport, writer = await asyncio.get_running_loop().create_connection(_Far, sock=near)
    writer.transport = transport
    try:
        yield WriterContender(writer, Path(f"/proc/{child.pid}/stat"))
    finally:
        transport.close()
        await child.wait()


def _work(folder: Path, channel: socket.socket) -> None:
    engines = connect(_URL, folder)
    batches = Batches(engines.writing, STEPS)
    decoder = msgspec.msgpack.Decoder(list[UsageRecord])
    nobody = asyncio.new_event_loop().create_future()
    received = bytearray()
    while data := channel.recv(_READ_BYTES):
        received += data
        records: list[UsageRecord] = []
        while len(received) >= _LENGTH.size and len(received) >= _LENGTH.size + _LENGTH.unpack_from(received)[0]:
            end = _LENGTH.size + _LENGTH.unpack_from(received)[0]
            records += decoder.decode(received[_LENGTH.size : end])
            del received[:end]
        if not records:
            continue
        jobs = [Job(nobody, record) for record in records]
        batches.settle(jobs)
        if broken := [job.error for job in jobs if job.error is not None]:
            raise broken[0]
        channel.sendall(_LENGTH.pack(len(jobs)))
        if batches.since_checkpoint >= _ROWS_PER_CHECKPOINT:
            batches.run_maintenance(0)
    batches.disconnect()


if __name__ == "__main__":
    _work(Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2])))
    os._exit(0)

"""What a disk may hold after the power failed: made from what SQLite wrote and synced, for statements of a real run.

A run of the real writer is recorded as the statements it sent to SQLite (`record`). They are replayed, with the PRAGMAs
of the real engine, on a connection whose files note every write and sync (`replay`). An image is a prefix of these
notes, in which each write that was not synced may have reached the disk, or not, or in part: a sector of 512 bytes is
written whole or not at all, and in any order. What was written and synced is there.

The replay is a second SQLite library, the one within apsw, because the one within Python lets nobody stand between it
and its files.
"""

import asyncio
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
from sqlalchemy import event

from tests.crash.settlements import DEED_EVERY, append, settled, transaction
from tests.support.databases import todays_tables
from tollhouse.clock import SystemClock
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.batch import STEPS
from tollhouse.store.driver import Driver
from tollhouse.store.engines import _prepare_writing, connect
from tollhouse.store.writer import Writer

SECTOR = 512
SETTLEMENTS = 90
AT_ONCE = 4
ROWS_PER_CHECKPOINT = 30


@dataclass(frozen=True)
class Calls:
    """These calls are written in the transaction that is under way."""

    ids: tuple[str, ...]


Script = list[str | Calls]
"""Statements in their order, and between them what they write."""


def record(database: Path) -> Script:
    """Settle calls on a database that has its tables, and write down every statement of the writer."""
    script: Script = []

    def wrote(driver: Driver, batch: Sequence[UsageRecord]) -> None:
        script.append(Calls(tuple(call.id for call in batch)))

    def spoke(statement: str) -> None:
        if not statement.startswith("--"):  # what a trigger does is done again by itself
            script.append(statement)

    async def run() -> None:
        engines = connect(f"sqlite:///{database}", Path())
        event.listen(engines.writing, "connect", lambda driver, _: driver.set_trace_callback(spoke))
        writer = Writer(engines.writing, SystemClock(), (*STEPS, wrote), ROWS_PER_CHECKPOINT)
        numbers = iter(range(1, SETTLEMENTS + 1))

        async def settle() -> None:
            for number in numbers:
                await writer.commit(settled(number))
                if number % DEED_EVERY == 0:
                    await writer.change(append(transaction(number)))

        await asyncio.gather(*(settle() for _ in range(AT_ONCE)))
        await writer.close()
        engines.dispose()

    asyncio.run(run())
    return script


@dataclass(frozen=True)
class Wrote:
    file: str
    at: int
    data: bytes


@dataclass(frozen=True)
class Cut:
    file: str
    size: int


@dataclass(frozen=True)
class Synced:
    file: str


@dataclass(frozen=True)
class Acknowledged:
    """COMMIT has returned: whoever waited for these commits hears of it."""

    commits: int


Note = Wrote | Cut | Synced | Acknowledged


@dataclass
class Log:
    """What happened to the files, and what the database holds after each commit."""

    base: bytes
    notes: list[Note] = field(default_factory=list)
    holds: list[frozenset[str]] = field(default_factory=lambda: [frozenset()])


def replay(script: Script, folder: Path, synchronous: str | None = None) -> Log:
    """synchronous: another value of this PRAGMA than the one our engine sets."""
    database = folder / "tollhouse.db"
    database.write_bytes(todays_tables())
    log = Log(todays_tables())
    watched = _Watched(log)
    connection = _Connection(str(database), vfs=watched.vfs_name)
    _prepare_writing(connection, None)  # type: ignore[arg-type]  # it only executes
    if synchronous is not None:
        connection.execute(f"PRAGMA synchronous = {synchronous}")
    written: frozenset[str] = frozenset()
    for line in script:
        if isinstance(line, Calls):
            written |= frozenset(line.ids)
            continue
        connection.execute(line).fetchall()
        if line == "COMMIT":
            log.holds.append(written)
            log.notes.append(Acknowledged(len(log.holds) - 1))
    connection.close()
    watched.unregister()
    return log


class _Connection(apsw.Connection):
    isolation_level: Any = None  # of Python's own driver, which `_prepare_writing` sets


class _Watched(apsw.VFS):
    vfs_name = "watched"

    def __init__(self, log: Log) -> None:
        super().__init__(self.vfs_name, "")
        self._log = log

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:
        return _File(self._log, name, flags)


class _File(apsw.VFSFile):
    def __init__(self, log: Log, name: Any, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._file = os.path.basename(path)
        self._log = log
        super().__init__("", name, flags)

    def xWrite(self, data: Any, offset: int) -> None:
        self._log.notes.append(Wrote(self._file, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:
        self._log.notes.append(Cut(self._file, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:
        super().xSync(flags)
        self._log.notes.append(Synced(self._file))


@dataclass(frozen=True)
class Image:
    """Files as they may be found, and how many commits had been acknowledged by then."""

    files: dict[str, bytes]
    acknowledged: int

    def write(self, folder: Path) -> None:
        for old in folder.glob("tollhouse.db*"):
            old.unlink()
        for name, data in self.files.items():
            (folder / name).write_bytes(data)


def images(log: Log, seed: int, count: int) -> Iterator[Image]:
    """In the order of the places in the log at which the power failed."""
    choice = random.Random(seed)
    disk = _Disk({"tollhouse.db": bytearray(log.base)})
    at = 0
    for place in sorted(choice.randrange(len(log.notes) + 1) for _ in range(count)):
        for note in log.notes[at:place]:
            disk.happens(note)
        at = place
        yield disk.after_the_cut(choice)


class _Disk:
    """What is safe, and by file what was written since."""

    def __init__(self, safe: dict[str, bytearray]) -> None:
        self._safe = safe
        self._unsafe: dict[str, list[Wrote | Cut]] = {}
        self._acknowledged = 0

    def happens(self, note: Note) -> None:
        if isinstance(note, Acknowledged):
            self._acknowledged = note.commits
        elif isinstance(note, Synced):
            for one in self._unsafe.pop(note.file, []):
                _apply(self._safe.setdefault(note.file, bytearray()), one)
        else:
            self._unsafe.setdefault(note.file, []).append(note)

    def after_the_cut(self, choice: random.Random) -> Image:
        files = {name: bytearray(data) for name, data in self._safe.items()}
        luck = choice.random()  # of this cut: how much of what was on its way has arrived
        for name, waiting in self._unsafe.items():
            data = files.setdefault(name, bytearray())
            for one in waiting:
                for part in _sectors(one):
                    if choice.random() < luck:
                        _apply(data, part)
        return Image({name: bytes(data) for name, data in files.items()}, self._acknowledged)


def _sectors(note: Wrote | Cut) -> list[Wrote | Cut]:
    """A write as the parts of it that each arrive whole."""
    if isinstance(note, Cut):
        return [note]
    parts: list[Wrote | Cut] = []
    at, end = note.at, note.at + len(note.data)
    while at < end:
        until = min(end, (at // SECTOR + 1) * SECTOR)
        parts.append(Wrote(note.file, at, note.data[at - note.at : until - note.at]))
        at = until
    return parts


def _apply(data: bytearray, note: Wrote | Cut) -> None:
    if isinstance(note, Cut):
        del data[note.size :]
        return
    missing = note.at - len(data)
    if missing > 0:
        data.extend(bytes(missing))
    data[note.at : note.at + len(note.data)] = note.data

"""What the platform stands on while it is checked: time, luck, the disk and the provider, each moved by hand."""

import asyncio
import hashlib
import sqlite3
from collections import deque
from typing import Any, Literal, Self

from sqlalchemy import Engine, event

from tollhouse.core.failure import Failure, UpstreamBroke
from tollhouse.core.upstream import Headers, TakePiece, UpstreamRequest
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store.writer import Writer


class ManualClock:
    """Wall time may be set anywhere; ticks only go on."""

    def __init__(self, now_ms: int) -> None:
        self.wall_ms = now_ms
        self.elapsed_ms = 0

    def now_ms(self) -> int:
        return self.wall_ms

    def ticks_ns(self) -> int:
        return self.elapsed_ms * 1_000_000


class Loop(asyncio.SelectorEventLoop):
    """An event loop whose timers go by a clock moved by hand: a pause of ten minutes is over when we say so."""

    def __init__(self, clock: ManualClock) -> None:
        self._hand_clock = clock
        super().__init__()

    def time(self) -> float:
        return self._hand_clock.elapsed_ms / 1000

    async def quiet(self) -> None:
        """Until nothing is left that could happen by itself in this loop."""
        ready: deque[Any] = getattr(self, "_ready")  # noqa: B009 - the loop's own list of what is due
        await asyncio.sleep(0)
        while ready:  # noqa: ASYNC110 - what is due has no event of its own
            await asyncio.sleep(0)


class Dice:
    """Bytes that look like chance and are the same in every run."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._thrown = 0

    def bytes(self, count: int) -> bytes:
        self._thrown += 1
        return hashlib.shake_128(f"{self._seed} {self._thrown}".encode()).digest(count)


Mood = Literal["well", "cannot write", "cannot commit", "fails once", "answer lost"]
Stall = Literal["", "before", "after"]


class FakeDisk:
    """What is the matter with the database: its driver does as `mood` says."""

    def __init__(self) -> None:
        self.mood: Mood = "well"

    def watch(self, engine: Engine) -> None:
        def connect(_dialect: Any, _record: Any, words: Any, options: Any) -> Any:
            return sqlite3.connect(*words, factory=self._connection(), **options)

        event.listen(engine, "do_connect", connect)

    def _connection(self) -> type[sqlite3.Connection]:
        disk = self

        class FakeCursor(sqlite3.Cursor):
            def execute(self, sql: str, values: Any = ()) -> Self:
                if disk.mood == "cannot write" and sql.startswith(("INSERT", "UPDATE", "DELETE")):
                    raise sqlite3.OperationalError("attempt to write a readonly database")
                return super().execute(sql, values)

        class FakeConnection(sqlite3.Connection):
            def cursor(self, factory: Any = FakeCursor) -> Any:
                return super().cursor(factory)

            def commit(self) -> None:
                if disk.mood == "fails once":
                    disk.mood = "well"
                    raise sqlite3.OperationalError("disk I/O error")
                if disk.mood == "cannot commit":
                    raise sqlite3.OperationalError("disk I/O error")
                super().commit()
                if disk.mood == "answer lost":
                    disk.mood = "well"
                    raise sqlite3.OperationalError("disk I/O error")

        return FakeConnection


class Killed(BaseException):
    """The process is no more: nothing that waited here goes on."""


class KilledVault:
    """The ledger's port, before the real writer. `stall` holds commits up, on their way in or on their way back."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._stalled: list[asyncio.Event] = []
        self._idle = asyncio.Event()
        self._idle.set()
        self._busy = 0
        self.stall: Stall = ""
        self.trouble: str | None = None  # what is known of the disk before a call is let in
        self.killed = False

    def note(self, record: UsageRecord) -> None:
        """It counts in no sum."""

    async def commit(self, record: UsageRecord) -> None:
        self._check()
        if self.stall == "before":
            await self._wait()
            self._check()
        self._busy += 1
        self._idle.clear()
        try:
            await self._writer.commit(record)
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()
        if self.stall == "after":
            await self._wait()
        self._check()

    @property
    def busy(self) -> bool:
        return bool(self._busy)

    async def idle(self) -> None:
        """The writer has told of everything it was given."""
        await self._idle.wait()

    def go_on(self) -> None:
        self.stall = ""
        stalled, self._stalled = self._stalled, []
        for one in stalled:
            one.set()

    async def _wait(self) -> None:
        gate = asyncio.Event()
        self._stalled.append(gate)
        await gate.wait()

    def _check(self) -> None:
        if self.killed:
            raise Killed


class FakeAttempt:
    """One attempt at the provider, and its answer: head and pieces come when the checker says so."""

    def __init__(self, asked: UpstreamRequest) -> None:
        self.asked = asked
        self.status = 0
        self.headers: Headers = []
        self._pieces: deque[bytes | Failure] = deque()
        self._news = asyncio.Event()
        self._over: Failure | None = None
        self.given_up = False

    def open(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers
        self._news.set()

    def give(self, *pieces: bytes | Failure) -> None:
        """b"" is the clean end."""
        self._pieces += pieces
        self._news.set()

    async def head(self) -> "FakeAttempt":
        while not self.status:
            if self._pieces:
                await self.read()
            self._news.clear()
            await self._news.wait()
        return self

    async def read(self, take: TakePiece | None = None) -> bytes:
        while True:
            if self.given_up:
                raise UpstreamBroke("the call was given up")
            if self._over is not None:
                raise self._over
            if self._pieces:
                piece = self._pieces.popleft()
                if isinstance(piece, bytes):
                    left = piece if take is None or not piece else take(piece)
                    if left is not None:
                        return left
                    continue
                self._over = piece
                continue
            self._news.clear()
            await self._news.wait()

    def abort(self) -> None:
        self.given_up = True
        self._news.set()

    def release(self) -> None:
        """Nothing more is read."""


class FakeProvider:
    """Every attempt waits to be answered. It is found by the word that the call's body carries."""

    def __init__(self) -> None:
        self.attempts: dict[str, FakeAttempt] = {}

    async def send(self, call: UpstreamRequest) -> FakeAttempt:
        attempt = FakeAttempt(call)
        self.attempts[mark_in(call.body)] = attempt
        return await attempt.head()


def mark(number: int) -> str:
    """As long for one call as for another, so that like calls hold the same."""
    return f"call-{number:05d}"


def mark_in(body: bytes) -> str:
    return body[body.index(b"call-") :].split(None, 1)[0].rstrip(b'"}]').decode()

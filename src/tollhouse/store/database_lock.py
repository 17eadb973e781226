"""One process at a time works on a database. Limits, money and keys stand in that process's memory: a second one would
let a budget through twice and serve a key that was revoked.

SQLite: a file beside the database's own, whose path is followed to its end, so that two data folders that name one file
meet. PostgreSQL: an advisory lock of a session of its own, which the server frees as soon as the process is gone; the
server notices a machine that vanished within half a minute.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, Protocol

from msgspec import structs
from sqlalchemy import Connection, NullPool, create_engine, delete, exc, insert, select

from tollhouse.store import schema
from tollhouse.store.engines import CannotOpen, Engines
from tollhouse.store.file_lock import FileLock
from tollhouse.store.holder import Holder

_KEY: Final = int.from_bytes(b"tollhous", "big")  # of the advisory lock; advisory locks are of one database
_WAIT_SECONDS_MAX: Final = 2.0  # for a process that was just killed: the server may need a moment to notice
_WAIT_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 1.0
_SESSION: Final = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"
_CLIENT: Final = {"connect_timeout": "5", "tcp_user_timeout": "5000", "application_name": "tollhouse lock"}

LockState = Literal["held", "unsure", "lost"]


class DatabaseInUse(CannotOpen):
    """Another process works on the database; the message says which, and since when."""

    def __init__(self, holder: Holder | None) -> None:
        who = "another process" if holder is None else str(holder)
        super().__init__(
            f"{who} works on this database, and one process at a time may: stop it first, or use another database"
        )


class DatabaseLock(Protocol):
    def take(self, holder: Holder) -> None:
        """Raises DatabaseInUse, or CannotOpen where it cannot be tried."""

    def confirm(self, holder: Holder) -> LockState:
        """Whether the lock is still held; a lost one is taken again where nobody else has it. `unsure`: the database
        does not answer. The holder's words are renewed if they changed."""

    def other(self) -> Holder | None:
        """Who holds it instead."""

    def release(self) -> None:
        """Safe to call twice."""


def lock_of(engines: Engines) -> DatabaseLock:
    return _FileOfSqlite(engines) if engines.sqlite else _SessionOfPostgresql(engines)


class _FileOfSqlite:
    def __init__(self, engines: Engines) -> None:
        database = Path(engines.url.database or "").resolve()
        self._file = FileLock(database.with_name(f"{database.name}.lock"))
        self._named: Holder | None = None

    def take(self, holder: Holder) -> None:
        try:
            taken = self._file.take(holder)
        except OSError as error:
            raise CannotOpen(f"the database cannot be locked: {error.filename}: {error.strerror}") from error
        if not taken:
            raise DatabaseInUse(self.other())
        self._named = holder

    def confirm(self, holder: Holder) -> LockState:
        if holder != self._named:
            self._file.name(holder)
            self._named = holder
        return "held"

    def other(self) -> Holder | None:
        return self._file.holder()

    def release(self) -> None:
        self._file.release()


class _SessionOfPostgresql:
    def __init__(self, engines: Engines) -> None:
        self._engine = create_engine(
            engines.url,
            poolclass=NullPool,
            isolation_level="AUTOCOMMIT",
            connect_args={**_CLIENT, "options": _SESSION},
        )
        self._session: Connection | None = None
        self._named: Holder | None = None

    def take(self, holder: Holder) -> None:
        pause = threading.Event()
        for _ in range(round(_WAIT_SECONDS_MAX / _WAIT_SECONDS)):
            try:
                if self._try():
                    break
            except exc.DBAPIError as error:
                raise CannotOpen(f"the database cannot be reached: {str(error.orig).strip()}") from error
            pause.wait(_WAIT_SECONDS)
        else:
            other = self.other()
            self.release()
            raise DatabaseInUse(other)
        self._name(holder)

    def confirm(self, holder: Holder) -> LockState:
        try:
            if self._session is not None:
                self._session.exec_driver_sql("SELECT 1")
            elif not self._try():
                # Our own lost session may still hold it, until the server has noticed.
                return "unsure" if self.other() == self._named else "lost"
            if holder != self._named:
                self._name(holder)
        except exc.DBAPIError:
            self._close()
            return "unsure"
        return "held"

    def other(self) -> Holder | None:
        table = schema.holder
        try:
            with self._engine.connect() as connection:
                row = connection.execute(select(table)).one_or_none()
        except exc.DBAPIError:  # the schema is older than the table
            return None
        return None if row is None else Holder(**{name: row._mapping[name] for name in Holder.__struct_fields__})

    def release(self) -> None:
        self._close()
        self._engine.dispose()

    def _try(self) -> bool:
        if self._session is None:
            self._session = self._engine.connect()
        if self._session.exec_driver_sql("SELECT pg_try_advisory_lock(%s)", (_KEY,)).scalar():
            return True
        self._close()
        return False

    def _name(self, holder: Holder) -> None:
        assert self._session is not None
        self._named = holder
        row = {name: getattr(holder, name) for name in holder.__struct_fields__}
        with contextlib.suppress(exc.ProgrammingError):  # a schema without the table is about to be migrated
            self._session.execute(delete(schema.holder))
            self._session.execute(insert(schema.holder).values(**row))

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(exc.DBAPIError):
                session.close()


class LockKeeper:
    """Keeping the lock while the process serves. `address` is added to what it says of itself."""

    def __init__(self, lock: DatabaseLock | None, holder: Holder) -> None:
        assert lock is not None
        self._lock = lock
        self._holder = holder
        self._news = asyncio.Event()
        self.lost_to: DatabaseInUse | None = None

    def serves_at(self, address: str) -> None:
        self._holder = structs.replace(self._holder, address=address)
        self._news.set()

    async def keep(self, lost: Callable[[], None]) -> None:
        """Look once a second; return after `lost` was called, because somebody else works on the database now."""
        while await asyncio.to_thread(self._lock.confirm, self._holder) != "lost":
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), _LOOK_SECONDS)
            self._news.clear()
        self.lost_to = DatabaseInUse(await asyncio.to_thread(self._lock.other))
        lost()

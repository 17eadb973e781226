"""One batch, one transaction: what the writer's thread does with whatever has arrived. Synchronous throughout.

What can go wrong, and who hears of it:
- a record the database refuses: the batch is done again with each record behind a savepoint; only its waiter fails;
- a change that raises: its savepoint is rolled back and its waiter gets the exception;
- the database itself (disk full, read-only, connection lost): nothing of the batch stands, and every waiter gets
  Overloaded. A connection that broke between two batches is made anew without anybody noticing.

A commit whose answer was lost is looked up afterwards by the id of its first record. A batch of changes only has no
such witness: its waiters get Overloaded although the changes may stand.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Dialect, Engine, delete, exc, insert

from tollhouse.core.failure import Conflict, Defect, Overloaded
from tollhouse.core.request import Request
from tollhouse.store import charges, crossings, keys, requests, schema, spend, usage
from tollhouse.store.driver import Driver
from tollhouse.store.last_use import LastUses

Step = Callable[[Driver, Sequence[Request]], None]

STEPS: tuple[Step, ...] = (requests.insert, usage.add, spend.add, charges.enter, crossings.notice)
"""What is written for a batch of calls, in one transaction and in this order."""


class Job(Struct, eq=False):
    """A record of a call, or a change, and who waits for it. A change may be run a second time after a rollback."""

    waiter: "asyncio.Future[Any]"
    record: Request | None = None
    deed: Callable[[Connection], Any] | None = None
    after: Callable[[Any], None] | None = None
    result: Any = None
    error: Exception | None = None


class _CommitUnsure(Exception):
    """COMMIT was sent and no answer came."""


class Batches:
    """Belongs to one thread and holds one connection."""

    def __init__(self, engine: Engine, steps: Sequence[Step]) -> None:
        self.trouble: str | None = None
        self.since_checkpoint = 0
        """Rows written since the last checkpoint."""
        self.uses = LastUses()
        self.noticed = False
        """The last batch wrote something to tell people."""
        self._engine = engine
        self._steps = steps
        self._driver: Driver | None = None

    def settle(self, batch: Sequence[Job]) -> None:
        """Commit the batch; afterwards each job has its result or its error."""
        self.noticed = False
        try:
            self._try_twice(batch)
        except _CommitUnsure as unsure:
            self.disconnect()
            if not self._stands(batch):
                self._fail(batch, unsure.__cause__ or unsure)
                return
        except Exception as error:  # guard: whatever the database does, the waiters hear of it and the thread lives
            self.disconnect()
            self._fail(batch, error)
            return
        self.trouble = None

    def keep_house(self, now_ms: int | None) -> None:
        """Between batches: write overdue last uses (all of them if no time is given), find out whether trouble is over,
        and move SQLite's WAL into the database, so that no commit has to."""
        uses = self.uses.overdue(now_ms)
        try:
            if uses or self.trouble is not None:
                driver = self._connect()
                driver.begin()
                keys.touch(driver, uses)
                _prove_writable(driver.connection)
                driver.commit()
                self.uses.written(uses)
                self.trouble = None
            if self.since_checkpoint:
                self._connect().checkpoint()
            self.since_checkpoint = 0
        except Exception as error:  # guard: as in `settle`, with nobody waiting
            self.disconnect()
            self.trouble = _reason(error)

    def disconnect(self) -> None:
        driver, self._driver = self._driver, None
        if driver is None:
            return
        errors = exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error
        if self._engine.dialect.name == "sqlite":
            # Closing leaves a failed statement's lock in place until its cursor is collected; a rollback ends it.
            with contextlib.suppress(*errors):
                driver.rollback()
        with contextlib.suppress(*errors):
            driver.connection.invalidate()
            driver.connection.close()

    def _try_twice(self, batch: Sequence[Job]) -> None:
        """Once as if all were well; then once more, on a new connection or with each record by itself."""
        fresh = self._driver is None
        try:
            self._transact(batch, carefully=False)
        except _CommitUnsure:
            raise
        except Exception as error:  # guard: a record may fail in any way; the second try finds out which one
            if not _is_trouble(error, self._engine.dialect):
                self._transact(batch, carefully=True)
            elif not fresh and self._engine.dialect.name != "sqlite":  # a server restarts, a firewall forgets
                self.disconnect()
                self._transact(batch, carefully=False)
            else:
                raise

    def _transact(self, batch: Sequence[Job], *, carefully: bool) -> None:
        driver = self._connect()
        driver.begin()
        for job in batch:
            job.result = job.error = None
        if carefully:
            for job in batch:
                if job.record is not None:
                    _behind_savepoint(driver, job, partial(self._write, driver, [job.record]))
        elif records := [job.record for job in batch if job.record is not None]:
            self._write(driver, records)
        uses = self.uses.note([job.record for job in batch if job.record is not None and job.error is None])
        keys.touch(driver, uses)
        for job in batch:
            if job.deed is not None:
                _behind_savepoint(driver, job, partial(job.deed, driver.connection))
        try:
            driver.commit()
        except Exception as error:  # guard: any failure of COMMIT leaves open whether it was done
            raise _CommitUnsure from error
        self.noticed = driver.noticed
        self.uses.written(uses)
        self.since_checkpoint += len(batch)

    def _write(self, driver: Driver, records: Sequence[Request]) -> None:
        for step in self._steps:
            step(driver, records)

    def _fail(self, batch: Sequence[Job], error: BaseException) -> None:
        self.trouble = _reason(error)
        for job in batch:
            job.error = Overloaded("the database cannot be written at the moment: try again", retry_after_ms=1_000)
            job.error.__cause__ = error

    def _stands(self, batch: Sequence[Job]) -> bool:
        """Whether a commit without an answer was done: then its first record is there."""
        witness = next((job.record for job in batch if job.record is not None and job.error is None), None)
        if witness is None:
            return False
        try:
            driver = self._connect()
            driver.begin()
            stands = requests.Requests(driver.connection).holds(witness)
            driver.rollback()
            return stands
        except (exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
            self.disconnect()
            return False

    def _connect(self) -> Driver:
        if self._driver is None:
            self._driver = Driver(self._engine.connect())
        return self._driver


def _behind_savepoint(driver: Driver, job: Job, work: Callable[[], Any]) -> None:
    driver.execute("SAVEPOINT one")
    try:
        job.result = work()
    except Exception as error:  # guard: what goes wrong for one is told to one
        if _is_trouble(error, driver.connection.dialect):
            raise
        driver.undo("one")
        job.error = _told(error, job)
    driver.execute("RELEASE SAVEPOINT one")


def _told(error: Exception, job: Job) -> Exception:
    """What the waiter of a failed record or change is told."""
    told = error
    if job.record is not None:
        told = Defect("the call's record was refused by the database")
    elif isinstance(error, exc.IntegrityError):
        told = Conflict("somebody else changed the same at the same time: look, and try again")
    if told is not error:
        told.__cause__ = error
    return told


def _is_trouble(error: Exception, dialect: Dialect) -> bool:
    """Whether the database is to blame, and not what was asked of it."""
    if isinstance(error, exc.InvalidRequestError):  # SQLAlchemy's own state after an error it has already raised
        return True
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    driver = dialect.loaded_dbapi
    if dialect.name == "sqlite":
        # A statement that makes no sense is "operational" here too; a damaged file is a plain DatabaseError.
        senseless = getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
        return type(cause) is sqlite3.DatabaseError or (isinstance(cause, driver.OperationalError) and not senseless)
    return isinstance(cause, (driver.OperationalError, driver.InterfaceError, driver.InternalError))


def _prove_writable(connection: Connection) -> None:
    """Dirty a page, so that the commit that follows has something to write."""
    probe = insert(schema.changes).values(kind="probe", object_id="").returning(schema.changes.c.sequence)
    sequence = connection.execute(probe).scalar_one()
    connection.execute(delete(schema.changes).where(schema.changes.c.sequence == sequence))


def _reason(error: BaseException) -> str:
    """For people who operate: the driver's first line, without statement and parameters."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0]

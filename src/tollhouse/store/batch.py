"""One batch, one transaction: what the writer's thread does with whatever has arrived. Synchronous throughout.

What can go wrong, and who hears of it:
- a record the database refuses: the batch is done again with each record behind a savepoint; only its waiter fails;
- a change that raises: its savepoint is rolled back and its waiter gets the exception;
- the database itself (disk full, read-only, connection lost): nothing of the batch stands, and every waiter gets
  Overloaded. A connection that broke between two batches is made anew without anybody noticing.

A commit whose answer was lost is looked up afterwards by the id of its first record; while the database cannot be
asked, its waiters wait, for nobody may be told that a call is free which may stand in the ledger. A batch of changes
only has no such observer: its waiters get Overloaded although the changes may stand.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Dialect, Engine, delete, exc, insert

from tollhouse.core.channel import Channels
from tollhouse.core.failure import Conflict, Defect, Overloaded
from tollhouse.core.usage_record import UsageRecord
from tollhouse.store import charges, crossings, keys, requests, schema, spend, usage
from tollhouse.store.driver import Driver
from tollhouse.store.last_use import LastUses

Step = Callable[[Driver, Sequence[UsageRecord]], None]

STEPS: tuple[Step, ...] = (requests.insert, usage.add, spend.add, charges.enter, crossings.record_threshold_alerts)
"""What is written for a batch of calls, in one transaction and in this order."""


def steps_telling(channels: Channels) -> tuple[Step, ...]:
    """The steps, where thresholds are told by these channels."""
    return (*STEPS[:-1], partial(crossings.record_threshold_alerts, channels=channels))


class Job(Struct, eq=False):
    """A record of a call, or a change, and who waits for it. A change may be run a second time after a rollback."""

    waiter: "asyncio.Future[Any]"
    record: UsageRecord | None = None
    account_id: str = ""  # whose call it is; empty for a change of people
    transaction: Callable[[Connection], Any] | None = None
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
        self.commits = 0
        """Since the last checkpoint."""
        self.uses = LastUses()
        self.noticed = False
        """The last batch wrote something to tell people."""
        self._engine = engine
        self._steps = steps
        self._driver: Driver | None = None
        self._doubtful: Sequence[Job] = ()
        """The batch whose COMMIT got no answer, while the database cannot be asked."""
        self._doubt: BaseException = _CommitUnsure()
        self._session = 0
        """Where that COMMIT was sent to, on PostgreSQL."""

    def settle(self, batch: Sequence[Job]) -> Sequence[Job]:
        """Commit the batch. Gives the jobs that have their result or their error now: those of this batch, unless its
        COMMIT got no answer and nobody can say yet what became of it, and those of which nobody could say before."""
        self.noticed = False
        decided = self._decide()
        if not batch:
            return decided
        if self._doubtful:  # a later batch must not stand before it
            self._fail(batch, self._doubt)
            return [*decided, *batch]
        try:
            self._try_twice(batch)
        except _CommitUnsure as unsure:
            return [*decided, *self._look_up(batch, unsure.__cause__ or unsure)]
        except Exception as error:  # guard: whatever the database does, the waiters hear of it and the thread lives
            self.disconnect()
            self._fail(batch, error)
        else:
            self.trouble = None
        return [*decided, *batch]

    def abandon(self) -> Sequence[Job]:
        """The end: whoever still waits for a COMMIT without an answer hears that it failed, which nobody knows."""
        batch, self._doubtful = self._doubtful, ()
        self._fail(batch, self._doubt)
        return batch

    def make_room(self, size: int) -> None:
        """At the beginning: see `Driver.make_room`. What goes wrong shows with the first commit."""
        try:
            self._connect().make_room(size)
            self._commit_nothing()  # syncs it
        except Exception:  # guard: without it commits are slower, and that is all
            self.disconnect()

    def run_maintenance(self, now_ms: int | None) -> None:
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
                if not self._doubtful:
                    self.trouble = None
            if self.since_checkpoint:
                driver = self._connect()
                if driver.checkpoint() and now_ms is not None:
                    # A WAL that begins anew is synced once more than others: let no caller wait for that.
                    self._commit_nothing()
            self.since_checkpoint = self.commits = 0
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
            if job.transaction is not None:
                _behind_savepoint(driver, job, partial(job.transaction, driver.connection))
        try:
            driver.commit()
        except Exception as error:  # guard: any failure of COMMIT leaves open whether it was done
            raise _CommitUnsure from error
        self.noticed = driver.noticed
        self.uses.written(uses)
        self.since_checkpoint += len(batch)
        self.commits += 1

    def _write(self, driver: Driver, records: Sequence[UsageRecord]) -> None:
        for step in self._steps:
            step(driver, records)

    def _fail(self, batch: Sequence[Job], error: BaseException) -> None:
        self.trouble = _reason(error)
        for job in batch:
            job.error = Overloaded("the database cannot be written at the moment: try again", retry_after_ms=1_000)
            job.error.__cause__ = error

    def _look_up(self, batch: Sequence[Job], error: BaseException) -> Sequence[Job]:
        """A COMMIT got no answer, or an error for one: find out which it was. Gives the batch, or nothing while the
        database cannot be asked."""
        if self._engine.dialect.name != "sqlite":
            self._session = 0 if self._driver is None else self._driver.session
            self.disconnect()
        stands = self._stands(batch)
        if stands is None:
            self._doubtful, self._doubt, self.trouble = batch, error, _reason(error)
            return ()
        if stands:
            self.noticed, self.trouble = True, None
        else:
            self._fail(batch, error)
            self._bury()
        return batch

    def _decide(self) -> Sequence[Job]:
        """What became of the batch in doubt; nothing where nobody can say yet, or none is."""
        batch, self._doubtful = self._doubtful, ()
        return self._look_up(batch, self._doubt) if batch else ()

    def _stands(self, batch: Sequence[Job]) -> bool | None:
        """Whether a commit without an answer was done: then its first record is there. None: nobody can say."""
        observer = next((job.record for job in batch if job.record is not None and job.error is None), None)
        if observer is None:
            return False
        try:
            driver = self._connect()
            driver.begin()
            driver.end_session(self._session)
            stands = requests.stands(driver, observer)
            driver.rollback()
            return stands
        except (exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
            self.disconnect()
            return False if self._engine.dialect.name == "sqlite" else None

    def _bury(self) -> None:
        """What a failed COMMIT of SQLite has written may lie whole in the WAL, and stand after a crash although its
        callers were told that it failed. Before they are, another transaction is written over it."""
        if self._engine.dialect.name != "sqlite":
            return
        try:
            self._commit_nothing()
        except Exception:  # guard: what counts is that it was written; that the disk fails is known already
            self.disconnect()

    def _commit_nothing(self) -> None:
        driver = self._connect()
        driver.begin()
        _prove_writable(driver.connection)
        driver.commit()

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

"""Opening a store: the engines, the schema check, the writer and the readers, in that order; closing in the reverse."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tollhouse.access.directory import Directory
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.spending_counters import SpendingCounters
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.channel import NO_CHANNELS, Channels
from tollhouse.core.clock import Clock
from tollhouse.core.drain import Drain
from tollhouse.core.money import Money
from tollhouse.limits.kind import LimitKindSpec
from tollhouse.limits.rules import Rules
from tollhouse.store import migration
from tollhouse.store.batch import steps_telling
from tollhouse.store.database_lock import DatabaseLock, lock_of
from tollhouse.store.engines import CannotOpen, Engines, connect
from tollhouse.store.holder import Holder
from tollhouse.store.readers import DEADLINE_MS, Readers
from tollhouse.store.tables import SqlRepositories
from tollhouse.store.writer import Writer

T = TypeVar("T")

_LOADING_MS = 120_000


@dataclass(frozen=True)
class Store:
    """A database in use. The gateway's `Ledger` is `writer`; the services' `Transactions` is the store itself."""

    engines: Engines
    writer: Writer
    readers: Readers
    lock: DatabaseLock | None = None
    """None: opened for looking, or by a test."""
    channels: Channels = NO_CHANNELS
    """Those by which notices leave."""

    async def change(self, transaction: Callable[[SqlRepositories], T], after: Callable[[T], None] | None = None) -> T:
        """See `Writer.change`."""
        return await self.writer.change(
            lambda connection: transaction(SqlRepositories(connection, self.channels)), after
        )

    async def read(self, question: Callable[[SqlRepositories], T], deadline_ms: int = DEADLINE_MS) -> T:
        """See `Readers.read`."""
        return await self.readers.read(
            lambda connection: question(SqlRepositories(connection, self.channels)), deadline_ms
        )

    async def load_directory(self) -> Directory:
        """Every account, project and key."""
        return await self.readers.read(lambda connection: _load_directory(SqlRepositories(connection)), _LOADING_MS)

    async def load_catalogue(self) -> Catalogue:
        return await self.readers.read(lambda connection: SqlRepositories(connection).catalogue.load(), _LOADING_MS)

    async def load_drains(self) -> dict[str, Drain]:
        """Providers that take no new calls, by their ids."""
        found = await self.readers.read(lambda connection: SqlRepositories(connection).drains.list_all(), _LOADING_MS)
        return {one.id: one for one in found}

    async def load_counters(self, now_ms: int) -> SpendingCounters:
        """The money of every account, and every budget with what its windows around this instant have spent."""
        return await self.readers.read(
            lambda connection: _load_counters(SqlRepositories(connection), now_ms), _LOADING_MS
        )

    async def load_prices(self) -> PriceLists:
        """Every price there ever was. Raises BadPrice for a row that was not written here."""
        return PriceLists(
            await self.readers.read(lambda connection: SqlRepositories(connection).prices.list_all(), _LOADING_MS)
        )

    async def load_limits(self, kinds: Sequence[LimitKindSpec] | None = None) -> Rules:
        """Every limit that people set, those that are over included. kinds: see `Rules`."""
        stored = await self.readers.read(lambda connection: SqlRepositories(connection).limits.list_all(), _LOADING_MS)
        return Rules(stored, kinds)

    async def close(self) -> None:
        """Commit what waits, then close every connection."""
        await self.writer.close()
        self.readers.close()
        self.engines.dispose()
        if self.lock is not None:
            self.lock.release()


def open_store(
    url: str,
    *,
    create: bool,
    clock: Clock,
    folder: Path = Path(),
    holder: Holder | None = None,
    channels: Channels = NO_CHANNELS,
    wal_bytes: int = 0,
) -> Store:
    """Open a database whose schema is today's; `create` fills an empty one. A relative SQLite path starts at `folder`.
    holder: who takes the database's lock, until `close`; None: nobody, for who only looks. channels: by which notices
    leave. wal_bytes: see `Writer`, for a process that serves.

    Raises CannotOpen (SchemaMismatch and DatabaseInUse among them), whose message names the cure.
    """
    engines = connect(url, folder)
    lock = None if holder is None else lock_of(engines)
    try:
        if lock is not None and holder is not None:
            lock.take(holder)
        migration.check(engines.writing, create=create)
        if lock is not None and holder is not None:
            lock.confirm(holder)  # the table that names them may have come with the schema
    except CannotOpen:
        engines.dispose()
        if lock is not None:
            lock.release()
        raise
    writer = Writer(engines.writing, clock, steps_telling(channels), wal_bytes=wal_bytes)
    return Store(engines, writer, Readers(engines, clock), lock, channels)


def is_older(url: str, folder: Path = Path()) -> bool:
    """Whether the database has a schema that `migrate` would bring up to date; an absent one has none. Raises
    CannotOpen."""
    engines = connect(url, folder)
    try:
        return migration.is_older(engines.writing)
    finally:
        engines.dispose()


def pending_migrations(url: str, folder: Path = Path()) -> list[str]:
    """What `tollhouse migrate --plan` prints: a line a step, none when the schema is today's."""
    engines = connect(url, folder)
    try:
        return migration.pending(engines.writing)
    finally:
        engines.dispose()


def migrate(url: str, folder: Path = Path(), holder: Holder | None = None) -> list[str]:
    """What `tollhouse migrate` does; the answer is the steps done. Raises CannotOpen, also while somebody else works on
    the database, where a holder is given."""
    engines = connect(url, folder)
    lock = None if holder is None else lock_of(engines)
    try:
        if lock is not None and holder is not None:
            lock.take(holder)
        return migration.migrate(engines.writing)
    finally:
        if lock is not None:
            lock.release()
        engines.dispose()


def _load_directory(tables: SqlRepositories) -> Directory:
    return Directory(tables.accounts.list_all(), tables.projects.list_all(), tables.keys.list_all())


def _load_counters(tables: SqlRepositories, now_ms: int) -> SpendingCounters:
    counters = SpendingCounters()
    money = {one.account_id: one for one in tables.ledger.every_money()}
    for account in tables.accounts.list_all():
        standing = money.get(account.id) or Money(account_id=account.id)
        counter = counters.put_money(account.id, standing.limit(account.credit_limit), standing.spent)
        counter.overrun = standing.overrun
    for budget in tables.budgets.list_all():
        counters.put_budget(budget, now_ms)
    for budget_counter in tables.budgets.recent_counters(now_ms):
        counters.recall(budget_counter)
    return counters

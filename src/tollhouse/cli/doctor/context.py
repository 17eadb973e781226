"""What the checks may look at, gathered once."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from tollhouse.access.vault import SEALED
from tollhouse.billing.budgets import Budget
from tollhouse.billing.price_list import PriceLists
from tollhouse.billing.prices import read_price
from tollhouse.cli.common_options import CommonOptions
from tollhouse.core.account import Account
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.clock import Clock
from tollhouse.core.retention import Retention
from tollhouse.services.platform_file import ConfigEnvironment, PlatformFile
from tollhouse.settings import Settings
from tollhouse.store.engines import CannotOpen, connect
from tollhouse.store.file_lock import FileLock
from tollhouse.store.holder import Holder
from tollhouse.store.tables import SqlRepositories

T = TypeVar("T")

WHSEC: Final = "whsec_"  # how a signing secret begins that is not encrypted


@dataclass(frozen=True)
class DiagnosticContext:
    options: CommonOptions
    reading: PlatformFile  # of platform.toml; with mistakes, its settings are only what could be read
    environment: ConfigEnvironment
    clock: Clock

    @property
    def folder(self) -> Path:
        return self.options.dir

    @property
    def settings(self) -> Settings:
        return self.reading.settings

    @property
    def database_file(self) -> Path | None:
        """None: the database is no file."""
        scheme, _, path = self.settings.server.database.partition(":///")
        return self.folder / path if scheme == "sqlite" else None

    def server(self) -> Holder | None:
        """The process that works in this data folder and serves; None: there is none."""
        lock = FileLock(self.options.lock)
        try:
            holder = lock.holder() if lock.is_taken() else None
        except OSError:
            return None
        return holder if holder is not None and holder.address else None

    def database_is_missing(self) -> bool:
        """True where looking would create the file."""
        return self.database_file is not None and not self.database_file.exists()

    def catalogue(self) -> Catalogue:
        """What is applied; where nothing can be read from the database, what the file says."""
        applied = self._ask(lambda tables: tables.catalogue.load())
        return applied if applied is not None and applied.generation else self.reading.catalogue

    def prices(self) -> tuple[PriceLists, tuple[Account, ...]]:
        """Every price, and every account with what it pays by; where nothing can be read, the prices of the file."""
        found = self._ask(lambda tables: (PriceLists(tables.prices.list_all()), tuple(tables.accounts.list_all())))
        if found is not None and self.catalogue() is not self.reading.catalogue:
            return found
        models = [model for model in self.reading.catalogue.models.values() if model.price]
        return PriceLists(read_price(model.price, id=model.id, model=model.id) for model in models), ()

    def signing_secrets(self, *, encrypted: bool) -> tuple[str, ...]:
        """What webhooks are signed with, as it is kept; those that are encrypted, or those that are not."""
        found = self._ask(lambda tables: tables.outbox.secrets_without(WHSEC if encrypted else SEALED))
        return tuple((found or {}).values())

    def budgets(self) -> list[Budget]:
        """Those that bind; none where nothing can be read."""
        return self._ask(lambda tables: tables.budgets.list_all()) or []

    def retention(self) -> tuple[Retention, int | None] | None:
        """How far records were deleted, and when the oldest call came that is kept; None where nothing can be read."""
        return self._ask(lambda tables: (tables.retention.load(), tables.requests.oldest_ms()))

    def _ask(self, question: Callable[[SqlRepositories], T]) -> T | None:
        """None: there is no database that can be read."""
        if self.database_is_missing():
            return None
        try:
            engines = connect(self.settings.server.database, self.folder)
        except CannotOpen:
            return None
        try:
            with engines.reading.begin() as connection:
                return question(SqlRepositories(connection))
        except SQLAlchemyError:
            return None
        finally:
            engines.dispose()

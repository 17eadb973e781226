"""Databases to crash."""

import asyncio
from pathlib import Path

import pytest

from tests.store.conftest import postgresql_server
from tollhouse.clock import SystemClock
from tollhouse.store.database import open_store

__all__ = ["postgresql_server"]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with today's tables, to be copied."""
    folder = tmp_path_factory.mktemp("template")

    async def make() -> None:
        store = open_store("sqlite:///template.db", create=True, clock=SystemClock(), folder=folder)
        await store.close()

    asyncio.run(make())
    return folder / "template.db"

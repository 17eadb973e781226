"""SQLite files for tests: made once in each process that runs tests, and written where a test wants one.

A copy takes a millisecond and a migration sixty, and most tests want today's tables and not the way to them.
"""

import tempfile
from functools import cache
from pathlib import Path

from tollhouse.store import migration
from tollhouse.store.engines import connect


@cache
def todays_tables() -> bytes:
    """A database with today's schema and nothing in it."""
    with tempfile.TemporaryDirectory() as folder:
        engines = connect("sqlite:///tollhouse.db", Path(folder))
        migration.check(engines.writing, create=True)
        engines.dispose()
        return (Path(folder) / "tollhouse.db").read_bytes()


def put_database(folder: Path) -> str:
    """The URL of `tollhouse.db` in a folder; one that stands there already stays as it is."""
    file = folder / "tollhouse.db"
    if not file.exists():
        file.write_bytes(todays_tables())
    return f"sqlite:///{file}"

"""Which schema a database has, and bringing it to today's. Alembic runs from here, never from its own command line.

Alembic is imported only where a schema is changed: it takes 0.7 s, and every other start would wait for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from tollhouse.store.engines import CannotOpen

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0018"
"""The newest revision in `migrations/versions`; a test compares."""

_VERSION_TABLE = "alembic_version"


class SchemaMismatch(CannotOpen):
    """The database has no schema, an older or a newer one."""


def check(engine: Engine, *, create: bool) -> None:
    """Let a database pass whose schema is today's; fill an empty one when `create` is given.

    Raises SchemaMismatch, CannotOpen.
    """
    try:
        with engine.begin() as connection:
            found = _revision(connection)
    except OperationalError as error:
        raise CannotOpen(f"the database cannot be reached: {_reason(error)}") from error
    if found is None and create:
        migrate(engine)
    elif found is None:
        raise SchemaMismatch("the database is empty: run `tollhouse migrate` (or `tollhouse init`) first")
    elif found > HEAD:
        raise _newer(found)
    elif found != HEAD:
        raise SchemaMismatch(
            f"the database has schema {found}, this version of tollhouse needs {HEAD}: run `tollhouse migrate`"
            " (`tollhouse migrate --plan` shows what it would do)"
        )


def is_older(engine: Engine) -> bool:
    """Whether the database has a schema from before today's. Raises SchemaMismatch, CannotOpen."""
    try:
        with engine.begin() as connection:
            found = _revision(connection)
    except OperationalError as error:
        raise CannotOpen(f"the database cannot be reached: {_reason(error)}") from error
    return found is not None and found < HEAD


def pending(engine: Engine) -> list[str]:
    """What `migrate` would do, a line a revision, oldest first. Raises SchemaMismatch for a newer database."""
    from alembic.script import ScriptDirectory  # heavy, see above

    with engine.begin() as connection:
        found = _revision(connection)
    scripts = ScriptDirectory.from_config(_configuration(None))
    known = {script.revision for script in scripts.walk_revisions()}
    if found is not None and found not in known:
        raise _newer(found)
    steps = [script for script in scripts.iterate_revisions("head", found or "base") if script.revision != found]
    return [f"{script.revision} {(script.doc or '').splitlines()[0]}" for script in reversed(steps)]


def migrate(engine: Engine) -> list[str]:
    """Bring the database to today's schema in one transaction; the answer is what was done."""
    from alembic import command  # heavy, see above

    steps = pending(engine)
    if steps:
        with engine.begin() as connection:
            command.upgrade(_configuration(connection), "head")
    return steps


def _configuration(connection: Connection | None) -> Config:
    from alembic.config import Config  # heavy, see above

    configuration = Config()
    configuration.set_main_option("script_location", "tollhouse.store:migrations")
    configuration.attributes["connection"] = connection
    return configuration


def _revision(connection: Connection) -> str | None:
    """None: an empty database. Raises SchemaMismatch for tables that are not ours."""
    tables = inspect(connection).get_table_names()
    if _VERSION_TABLE not in tables:
        if tables:
            raise SchemaMismatch(f"the database holds tables of something else, such as {sorted(tables)[0]!r}")
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}")).scalar()  # noqa: S608
    return found


def _newer(found: str) -> SchemaMismatch:
    return SchemaMismatch(
        f"the database has schema {found}, which this version of tollhouse ({HEAD}) does not know: it was written"
        " by a newer version; install that one"
    )


def _reason(error: OperationalError) -> str:
    """The driver's first line: host, port and user stand in it, a password never does."""
    return str(error.orig).strip().splitlines()[0]

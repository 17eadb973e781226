"""The database's schema, as `init` and `migrate` bring it to this version."""

from tollhouse.cli.alone import server_settings
from tollhouse.cli.common_options import CommonOptions
from tollhouse.cli.configured import read_platform
from tollhouse.cli.lock import FolderLock
from tollhouse.cli.trouble import CommandFailed
from tollhouse.clock import SystemClock
from tollhouse.store import database
from tollhouse.store.engines import CannotOpen
from tollhouse.store.holder import Holder, this_process


def migrate(at: CommonOptions, holder: Holder) -> list[str]:
    """The steps that were made; an absent database is made. Whoever calls holds the folder. Raises Trouble."""
    try:
        return database.migrate(_url(at), at.dir, holder)
    except CannotOpen as error:
        raise CommandFailed(str(error), code="database") from error


def pending(at: CommonOptions) -> list[str]:
    """The steps that `migrate` would make. Raises Trouble."""
    url = _url(at)
    if _is_absent(at, url):
        raise CommandFailed(f"there is no database in {at.dir} yet: `tollhouse migrate` makes it", code="no_database")
    try:
        return database.pending_migrations(url, at.dir)
    except CannotOpen as error:
        raise CommandFailed(str(error), code="database") from error


def brought_up_to_date(at: CommonOptions, url: str) -> list[str]:
    """The steps that the database of an older demo needed, made; an absent one stays absent. Raises Trouble."""
    holder = this_process("demo", SystemClock().now_ms())
    try:
        with FolderLock(at.lock, holder):
            if _is_absent(at, url) or not database.is_older(url, at.dir):
                return []
            return database.migrate(url, at.dir, holder)
    except CannotOpen as error:
        raise CommandFailed(str(error), code="database") from error


def _is_absent(at: CommonOptions, url: str) -> bool:
    scheme, _, path = url.partition(":///")
    return scheme == "sqlite" and not (at.dir / path).exists()


def _url(at: CommonOptions) -> str:
    return server_settings(read_platform(at)).server.database

"""tollhouse migrate: the database's schema."""

from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.alone import server_settings
from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.configured import read_platform
from tollhouse.cli.lock import FolderLock
from tollhouse.cli.terminal import show
from tollhouse.cli.trouble import CommandFailed
from tollhouse.clock import SystemClock
from tollhouse.store import database
from tollhouse.store.engines import CannotOpen
from tollhouse.store.holder import this_process


def migrate(
    *,
    plan_only: Annotated[bool, Parameter(name="--plan", negative=(), help="only say what would be done")] = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Bring the database to this version's schema; an absent one is made. No server may run meanwhile."""
    url = server_settings(read_platform(at)).server.database
    scheme, _, path = url.partition(":///")
    try:
        if not plan_only:
            holder = this_process("migrate", SystemClock().now_ms())
            with FolderLock(at.lock, holder):
                steps = database.migrate(url, at.dir, holder)
        elif scheme == "sqlite" and not (at.dir / path).exists():
            raise CommandFailed(
                f"there is no database in {at.dir} yet: `tollhouse migrate` makes it", code="no_database"
            )
        else:
            steps = database.pending_migrations(url, at.dir)
    except CannotOpen as error:
        raise CommandFailed(str(error), code="database") from error
    done = "Would run" if plan_only else "Ran"
    words = "\n".join(f"{done} {step}" for step in steps) or "The schema is up to date."
    show(at, {"object": "migration", "applied": not plan_only, "steps": steps}, words)

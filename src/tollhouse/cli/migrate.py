"""tollhouse migrate: the database's schema."""

from typing import Annotated

from cyclopts import Parameter

from tollhouse.cli.common_options import DEFAULT_OPTIONS, CommonOptions
from tollhouse.cli.lock import FolderLock
from tollhouse.cli.terminal import show
from tollhouse.clock import SystemClock
from tollhouse.store.holder import this_process


def migrate(
    *,
    plan_only: Annotated[bool, Parameter(name="--plan", negative=(), help="only say what would be done")] = False,
    at: CommonOptions = DEFAULT_OPTIONS,
) -> None:
    """Bring the database to this version's schema; an absent one is made. No server may run meanwhile."""
    from tollhouse.cli import schema

    if plan_only:
        steps = schema.pending(at)
    else:
        holder = this_process("migrate", SystemClock().now_ms())
        with FolderLock(at.lock, holder):
            steps = schema.migrate(at, holder)
    done = "Would run" if plan_only else "Ran"
    words = "\n".join(f"{done} {step}" for step in steps) or "The schema is up to date."
    show(at, {"object": "migration", "applied": not plan_only, "steps": steps}, words)

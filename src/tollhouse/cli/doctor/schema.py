"""The database has the schema that this version of tollhouse needs."""

from sqlalchemy.exc import SQLAlchemyError

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.store.database import pending_migrations
from tollhouse.store.engines import CannotOpen

TITLE = "Schema"


def check(context: DiagnosticContext) -> CheckVerdict:
    if context.database_is_missing():
        return skipped("there is no database yet")
    try:
        steps = pending_migrations(context.settings.server.database, context.folder)
    except CannotOpen as error:
        return red(str(error), "use the version of tollhouse that wrote it, or another database")
    except (SQLAlchemyError, ModuleNotFoundError):
        return skipped("the database does not answer")
    if steps:
        return red(f"{len(steps)} migrations wait, first {steps[0]}", f"tollhouse migrate --dir {context.folder}")
    return green("up to date")

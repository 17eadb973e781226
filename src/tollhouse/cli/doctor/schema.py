"""The database has the schema that this version of tollhouse needs."""

from sqlalchemy.exc import SQLAlchemyError

from tollhouse.cli.doctor.premises import Premises
from tollhouse.cli.doctor.verdict import Verdict, green, red, skipped
from tollhouse.store.database import pending_migrations
from tollhouse.store.engines import CannotOpen

TITLE = "Schema"


def check(premises: Premises) -> Verdict:
    if premises.database_is_missing():
        return skipped("there is no database yet")
    try:
        steps = pending_migrations(premises.settings.server.database, premises.folder)
    except CannotOpen as error:
        return red(str(error), "use the version of tollhouse that wrote it, or another database")
    except (SQLAlchemyError, ModuleNotFoundError):
        return skipped("the database does not answer")
    if steps:
        return red(f"{len(steps)} migrations wait, first {steps[0]}", f"tollhouse migrate --dir {premises.folder}")
    return green("up to date")

"""The database answers."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red
from tollhouse.store.engines import CannotOpen, connect

TITLE = "Database"


def check(context: DiagnosticContext) -> CheckVerdict:
    if context.database_is_missing():
        return red(f"there is no file {context.database_file}", f"tollhouse migrate --dir {context.folder}")
    try:
        engines = connect(context.settings.server.database, context.folder)
    except CannotOpen as error:
        return red(str(error), "mend [server] database in platform.toml, or TOLLHOUSE_DATABASE")
    except ModuleNotFoundError as error:
        return red(
            f"the driver is missing: {error.name}",
            "in the folder of the source: .uv/bin/uv sync --frozen --inexact --no-dev --extra postgresql",
        )
    try:
        with engines.reading.begin() as connection:
            connection.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        return red(f"it does not answer: {reason(error)}", "start it, or mend [server] database in platform.toml")
    finally:
        engines.dispose()
    return green(
        "SQLite" if engines.sqlite else f"{engines.url.get_backend_name()} at {engines.url.host or 'a socket'}"
    )


def reason(error: SQLAlchemyError) -> str:
    """The driver's first line, in which no password stands; SQLAlchemy's own text may quote statements."""
    lines = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()
    return lines[0] if lines else type(error).__name__

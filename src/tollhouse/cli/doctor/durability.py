"""A commit that was acknowledged survives a power cut. With SQLite's `synchronous = NORMAL` it does not."""

from sqlalchemy.exc import SQLAlchemyError

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.store.engines import CannotOpen, Engines, connect

TITLE = "Durability"

_SQLITE = (("PRAGMA journal_mode", "wal"), ("PRAGMA synchronous", "2"))  # 2 is FULL
_POSTGRESQL = (("SHOW fsync", "on"), ("SHOW synchronous_commit", "on"), ("SHOW full_page_writes", "on"))


def check(context: DiagnosticContext) -> CheckVerdict:
    if context.database_is_missing():
        return skipped("there is no database yet")
    try:
        engines = connect(context.settings.server.database, context.folder)
    except (CannotOpen, ModuleNotFoundError):
        return skipped("the database does not answer")
    try:
        return _judge(engines)
    except SQLAlchemyError:
        return skipped("the database does not answer")
    finally:
        engines.dispose()


def _judge(engines: Engines) -> CheckVerdict:
    wanted = _SQLITE if engines.sqlite else _POSTGRESQL
    with engines.writing.connect() as connection:
        for question, answer in wanted:
            found = str(connection.exec_driver_sql(question).scalar())
            if found != answer:
                cure = "let tollhouse set it: keep the file on a local disk" if engines.sqlite else "switch it on"
                return red(f"{question} says {found}, not {answer}: a power cut may lose acknowledged charges", cure)
    return green("synchronous FULL, journal WAL" if engines.sqlite else "fsync and synchronous_commit are on")

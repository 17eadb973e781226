"""Files that hold secrets are readable by their owner alone."""

import stat
from pathlib import Path

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped
from tollhouse.core.data_folder import DEMO_ENV

TITLE = "Secret files"


def check(context: DiagnosticContext) -> CheckVerdict:
    found = [path for path in _secret_files(context) if path.exists()]
    if not found:
        return skipped("there are none yet")
    open_ones = [path for path in found if stat.S_IMODE(path.stat().st_mode) & 0o077]
    if open_ones:
        names = " ".join(map(str, open_ones))
        return red(f"others may read {names}", f"chmod 600 {names}")
    return green(f"{len(found)} of them, readable by their owner alone")


def _secret_files(context: DiagnosticContext) -> list[Path]:
    """demo.env, the socket, the database and its log, and whatever the configuration names as `file:`."""
    folder, settings = context.folder, context.settings
    references = [settings.server.master_key]
    for provider in context.reading.catalogue.providers.values():
        references += provider.api_keys
    files = [folder / reference.removeprefix("file:") for reference in references if reference.startswith("file:")]
    files += [folder / DEMO_ENV, context.options.socket]
    database = context.database_file
    if database is not None:
        files += [database, database.with_name(database.name + "-wal")]
    holds_keys = (
        any(reference and not reference.startswith(("env:", "file:")) for reference in references)
        or "@" in settings.mail.smtp
    )
    return [*files, context.options.platform_file] if holds_keys else files

"""Others must not be able to change what lies in the data folder."""

import os
import stat

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red

TITLE = "Data folder"


def check(context: DiagnosticContext) -> CheckVerdict:
    folder = context.folder
    if not folder.is_dir():
        return red(f"there is no folder {folder}", f"run `tollhouse init --dir {folder}`, or name another with --dir")
    if not os.access(folder, os.W_OK | os.X_OK):
        return red(f"{folder} cannot be written", "run as its owner, or give the folder to this user")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o022:
        return red(f"others may change {folder} (mode {mode:04o})", f"chmod go-w {folder}")
    return green(f"{folder} is writable, and by nobody else")

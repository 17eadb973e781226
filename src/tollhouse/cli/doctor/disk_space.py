"""There is room for the database to grow."""

import shutil

from tollhouse.cli.doctor.context import DiagnosticContext
from tollhouse.cli.doctor.verdict import CheckVerdict, green, red, skipped

TITLE = "Disk space"

FREE_BYTES_MIN = 512 * 1024 * 1024


def check(context: DiagnosticContext) -> CheckVerdict:
    if not context.folder.is_dir():
        return skipped("there is no data folder yet")
    free = shutil.disk_usage(context.folder).free
    shown = f"{free / 2**30:.1f} GiB free"
    if free < FREE_BYTES_MIN:
        return red(f"only {shown}; at least 0.5 GiB should be", "free space on the disk of the data folder")
    return green(shown)

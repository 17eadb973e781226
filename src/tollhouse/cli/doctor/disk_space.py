"""There is room for the database to grow."""

import shutil

from tollhouse.cli.doctor.premises import Premises
from tollhouse.cli.doctor.verdict import Verdict, green, red, skipped

TITLE = "Disk space"

FREE_BYTES_MIN = 512 * 1024 * 1024


def check(premises: Premises) -> Verdict:
    if not premises.folder.is_dir():
        return skipped("there is no data folder yet")
    free = shutil.disk_usage(premises.folder).free
    shown = f"{free / 2**30:.1f} GiB free"
    if free < FREE_BYTES_MIN:
        return red(f"only {shown}; at least 0.5 GiB should be", "free space on the disk of the data folder")
    return green(shown)

"""Where tests write: in memory, where the machine has room there.

Most of what a test waits for is a disk that says it is done, and no test asks what a disk keeps when the power fails:
those of `tests/crash` that do record the writes themselves. Kills, full disks and locks are the same in memory.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
ROOM_BYTES_MIN: Final = 4 * 1024**3  # a run writes half a GB; containers often have 64 MB there


def write_in_memory() -> None:
    """For this process and those it starts, unless whoever started it named a place."""
    if "TMPDIR" in os.environ or not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM_BYTES_MIN:
        return
    if os.access(MEMORY, os.W_OK) and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

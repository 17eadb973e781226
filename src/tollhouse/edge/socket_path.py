"""The path of a Unix socket as the kernel takes it (107 bytes on Linux, 103 on macOS), in a folder of any depth."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

BYTES_MAX: Final = 100


@contextmanager
def short(path: Path, temporary: Path | None = None) -> Iterator[str]:
    """The path to bind or to connect to; for a long one, by a link to its folder that only this user sees, and that is
    gone afterwards: the socket itself stands where it was wanted.

    temporary: where the link is made; None: where the system makes such things. Raises OSError.
    """
    if _fits(path):
        yield str(path)
        return
    with tempfile.TemporaryDirectory(prefix="toll-", dir=temporary) as beside:
        linked = Path(beside) / "d" / path.name
        if not _fits(linked):
            message = f"{path.parent} is too long for a socket, and so is {beside}: choose a shorter folder, or TMPDIR"
            raise OSError(errno.ENAMETOOLONG, message)
        linked.parent.symlink_to(path.parent.resolve(), target_is_directory=True)
        yield str(linked)


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= BYTES_MAX

"""One process at a time works on a data folder's database: the server while it runs, else one command after another."""

import fcntl
import os
from pathlib import Path
from types import TracebackType

from tollhouse.cli.trouble import Trouble


class FolderLock:
    """Held from `__enter__` to `__exit__`; the kernel releases it if the process dies. Raises Trouble when taken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def __enter__(self) -> "FolderLock":
        if self._file is None and not self.take():
            raise Trouble(f"another tollhouse works on {self._path.parent}", code="folder_in_use")
        return self

    def take(self) -> bool:
        """False: somebody else has it now."""
        try:
            file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            folder = self._path.parent
            if isinstance(error, FileNotFoundError):
                message = f"there is no data folder {folder}: make it with `tollhouse init --dir {folder}`"
            else:
                message = f"the data folder {folder} cannot be used: {error.strerror}"
            raise Trouble(message, code="no_data_folder") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

"""One process at a time works in a data folder: the server while it runs, else one command after another."""

from pathlib import Path
from types import TracebackType

from msgspec import structs

from tollhouse.cli.trouble import CommandFailed
from tollhouse.store.file_lock import FileLock
from tollhouse.store.holder import Holder


class FolderLock:
    """Held from `__enter__` to `__exit__`; the kernel releases it if the process dies. Raises Trouble when taken."""

    def __init__(self, path: Path, holder: Holder | None = None) -> None:
        self._path = path
        self._holder = holder
        self._lock = FileLock(path)

    def __enter__(self) -> "FolderLock":
        if not self._lock.is_held and not self.take():
            raise CommandFailed(self.sentence(), code="folder_in_use")
        return self

    def serves_at(self, address: str) -> None:
        if self._holder is not None:
            self._lock.name(structs.replace(self._holder, address=address))

    def sentence(self) -> str:
        """Who has it instead."""
        other = self._lock.holder()
        return f"{other or 'another tollhouse'} works on {self._path.parent}, and one process at a time may"

    def take(self) -> bool:
        """False: somebody else has it now."""
        try:
            return self._lock.take(self._holder)
        except OSError as error:
            folder = self._path.parent
            if isinstance(error, FileNotFoundError):
                message = f"there is no data folder {folder}: make it with `tollhouse init --dir {folder}`"
            else:
                message = f"the data folder {folder} cannot be used: {error.strerror}"
            raise CommandFailed(message, code="no_data_folder") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

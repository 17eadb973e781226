"""A disk that can be filled up and emptied again, and one that takes nothing any more: real errors of real files."""

import errno
import os
import resource
import subprocess
from pathlib import Path
from types import TracebackType

from tests.end_to_end.platform_process import PlatformProcess

BYTES = 12 * 1024 * 1024
_CHUNK = 64 * 1024


class Tmpfs:
    """A file system of its own, mounted by root at a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> "Tmpfs":
        self.folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={BYTES},mode=700", "tmpfs", self.folder], check=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["umount", "--lazy", self.folder], check=True)

    def fill(self, platform: PlatformProcess) -> None:
        """Until not one byte more has room."""
        with (self.folder / "filler").open("ab", buffering=0) as filler:
            size = _CHUNK
            while size:
                try:
                    filler.write(bytes(size))
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise
                    size //= 2

    def free(self, platform: PlatformProcess) -> None:
        (self.folder / "filler").unlink()


class Quota:
    """For who may not mount: the kernel lets no file of the platform's process grow."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> "Quota":
        self.folder.mkdir()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def fill(self, platform: PlatformProcess) -> None:
        _, hard = resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE, (_CHUNK, hard))

    def free(self, platform: PlatformProcess) -> None:
        _, hard = resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(platform.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


def small_disk(folder: Path) -> Tmpfs | Quota:
    return Tmpfs(folder) if os.geteuid() == 0 else Quota(folder)


class read_only:  # noqa: N801 - reads as a word: `with read_only(platform)`
    """As the kernel makes a file system whose disk has failed: what is open stays open, and cannot be written."""

    def __init__(self, platform: PlatformProcess) -> None:
        files = [str(platform.folder / f"tollhouse.db{end}") for end in ("", "-wal")]
        paths = [word for file in files for word in ("-P", file)]
        fault = "inject=pwrite64,write,fdatasync:error=EROFS"
        self._command = ["strace", "-f", "-o", os.devnull, *paths, "-e", fault, "-p", str(platform.process.pid)]

    def __enter__(self) -> None:
        self._strace = subprocess.Popen(self._command, stderr=subprocess.PIPE, text=True)
        assert self._strace.stderr is not None
        assert "attached" in (line := self._strace.stderr.readline()), line

    def __exit__(self, *_: object) -> None:
        self._strace.terminate()
        self._strace.communicate()

"""A lock that is a file: one process holds it, the kernel frees it when that process ends, and it says who holds it."""

import fcntl
import os
from pathlib import Path

import msgspec

from tollhouse.store.holder import Holder

_HOLDER_BYTES_MAX = 4_096


class FileLock:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    @property
    def is_held(self) -> bool:
        """Whether this object holds it."""
        return self._file is not None

    def take(self, holder: Holder | None = None) -> bool:
        """False: another process has it. Raises OSError where the file cannot be made or opened."""
        if self._file is None:
            file = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                return False
            self._file = file
        self.name(holder)
        return True

    def is_taken(self) -> bool:
        """Whether a process has it. Changes nothing. Raises OSError where there is no such file, or it is not ours."""
        file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def name(self, holder: Holder | None) -> None:
        """Write down who holds it; the lock must be held."""
        assert self._file is not None
        os.ftruncate(self._file, 0)
        if holder is not None:
            os.pwrite(self._file, msgspec.json.encode(holder), 0)

    def holder(self) -> Holder | None:
        """Who said that they hold it; None where nobody did."""
        try:
            return msgspec.json.decode(self._path.read_bytes()[:_HOLDER_BYTES_MAX], type=Holder)
        except (OSError, msgspec.DecodeError):
            return None

    def release(self) -> None:
        """Safe to call twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

"""Spools on disk: files without a name, which are gone with the process whatever ends it."""

import os
import tempfile
import threading
from pathlib import Path


class FileSpool:
    """See `core.spool.Spool`. A read that comes too late finds it closed, and never another file."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        self._descriptor, name = tempfile.mkstemp(prefix="upload-", dir=folder)
        os.unlink(name)
        self._lock = threading.Lock()
        self._open = True

    def write(self, data: bytes) -> None:
        with self._lock:
            self._require_open()
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]

    def read(self, at: int, size: int) -> bytes:
        with self._lock:
            self._require_open()
            return os.pread(self._descriptor, size, at)

    def close(self) -> None:
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._descriptor)

    def _require_open(self) -> None:
        if not self._open:
            raise ValueError("the spool is closed")

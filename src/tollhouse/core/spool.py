"""Where the files of an upload lie while its call lasts, as a port: `spools.py` has the one on disk."""

from typing import Protocol

from msgspec import Struct


class Spool(Protocol):
    """Bytes that are written once, one behind the other, and read from anywhere. Safe in several threads."""

    def write(self, data: bytes) -> None:
        """Raises OSError where there is no room."""
        ...

    def read(self, at: int, size: int) -> bytes:
        """So many bytes, or fewer at the end. Raises ValueError once it is closed, OSError."""
        ...

    def close(self) -> None:
        """Forget all of it. Safe to call twice."""
        ...


class MemorySpool:
    """See `Spool`; for what is small."""

    __hash__ = None  # type: ignore[assignment]

    def __init__(self) -> None:
        self._data = bytearray()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MemorySpool) and self._data == other._data

    def write(self, data: bytes) -> None:
        self._data += data

    def read(self, at: int, size: int) -> bytes:
        return bytes(memoryview(self._data)[at : at + size])

    def close(self) -> None:
        self._data = bytearray()


class SpooledBytes(Struct, frozen=True):
    """A piece of a spool, read when it is sent: it takes no room in memory."""

    spool: Spool
    at: int
    size: int

    def __len__(self) -> int:
        return self.size

    def read(self, size: int) -> bytes:
        """Its first bytes, at most so many. Raises ValueError, OSError."""
        return self.spool.read(self.at, min(size, self.size))

    def behind(self, size: int) -> "SpooledBytes":
        """What follows so many bytes."""
        return SpooledBytes(self.spool, self.at + size, self.size - size)

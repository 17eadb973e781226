"""Where unpredictable bytes come from, as a port: the real source stands in `tollhouse/clock.py`."""

from typing import Protocol


class Randomness(Protocol):
    def bytes(self, count: int) -> bytes:
        """`count` bytes nobody can predict."""
        ...

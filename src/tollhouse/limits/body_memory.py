"""How much memory bodies of requests, or of answers, may take: of one account and in all.

An account may hold as much as is still free (the dynamic threshold of switches' shared buffers): one alone gets half of
the room, two get a third each, and however many take what they can, a part stays free for the next one.
"""

from typing import Final

MEMORY_BYTES: Final = 128 * 1024 * 1024


class BodyMemory:
    """Bytes of bodies in memory by account. Belongs to one event loop, hence exact."""

    __slots__ = ("_by_account", "bytes_max", "used")

    def __init__(self, bytes_max: int = MEMORY_BYTES, largest: int = 0) -> None:
        """`largest`: bytes of a single body, for which there must be room."""
        self.bytes_max = max(bytes_max, 2 * largest)
        self.used = 0
        self._by_account: dict[str, int] = {}

    def fits(self, account_id: str, size: int) -> bool:
        """Whether `size` bytes more of this account may be taken now."""
        return self.held(account_id) + size <= self.bytes_max - self.used

    def take(self, account_id: str, size: int) -> None:
        self._by_account[account_id] = self.held(account_id) + size
        self.used += size

    def free(self, account_id: str, size: int) -> None:
        """Raises KeyError where the account holds less: a defect that must not pass for free room."""
        left = self._by_account[account_id] - size
        if left < 0:
            raise KeyError(account_id)
        self.used -= size
        if left:
            self._by_account[account_id] = left
        else:
            del self._by_account[account_id]

    def held(self, account_id: str) -> int:
        return self._by_account.get(account_id, 0)

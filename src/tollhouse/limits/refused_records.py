"""How many refused calls of an account are written down: they cost nothing, and must not fill the database.

What is beyond is refused all the same, and counted by the figures of `/metrics`; it has no receipt.
"""

from typing import Final

AT_ONCE: Final = 1_000  # of one account
EVERY_MS: Final = 6_000  # one more: 14,400 a day


class RefusedRecords:
    """By account: when all that was written down would be forgotten, in Unix milliseconds."""

    __slots__ = ("_until_ms",)

    def __init__(self) -> None:
        self._until_ms: dict[str, int] = {}

    def admit(self, account_id: str, now_ms: int) -> bool:
        """Count one more; False: it is not to be written down."""
        until_ms = max(self._until_ms.get(account_id, 0), now_ms)
        if until_ms - now_ms > AT_ONCE * EVERY_MS:  # the clock was set back
            until_ms = now_ms
        if until_ms - now_ms > (AT_ONCE - 1) * EVERY_MS:
            return False
        self._until_ms[account_id] = until_ms + EVERY_MS
        return True

    def sweep(self, now_ms: int) -> None:
        self._until_ms = {account_id: until for account_id, until in self._until_ms.items() if until > now_ms}

"""How many rows an account, or a network without one, may cause to be written down that nobody pays for.

They must not fill the database.

Refused calls: what is beyond is refused all the same, and counted by the figures of `/metrics`; it has no receipt.
Changes, each of which leaves a row of audit that is never deleted: what is beyond is refused.
"""

from typing import Final

REFUSED_AT_ONCE: Final = 1_000
REFUSED_EVERY_MS: Final = 6_000  # one more: 14,400 a day
UNKNOWN_AT_ONCE: Final = 20  # calls without an identity, of one network
UNKNOWN_EVERY_MS: Final = 60_000
CHANGES_AT_ONCE: Final = 12_000  # all keys that an account may have, made and rotated
CHANGES_EVERY_MS: Final = 6_000


class RowAllowance:
    """Of each account `at_once` rows, and one more each `every_ms`."""

    __slots__ = ("_at_once", "_every_ms", "_until_ms")

    def __init__(self, at_once: int, every_ms: int) -> None:
        self._at_once = at_once
        self._every_ms = every_ms
        self._until_ms: dict[str, int] = {}  # when all that was written down would be forgotten, Unix milliseconds

    def admit(self, account_id: str, now_ms: int) -> bool:
        """Count one more; False: it is not to be written down."""
        until_ms = max(self._until_ms.get(account_id, 0), now_ms)
        if until_ms - now_ms > self._at_once * self._every_ms:  # the clock was set back
            until_ms = now_ms
        if until_ms - now_ms > (self._at_once - 1) * self._every_ms:
            return False
        self._until_ms[account_id] = until_ms + self._every_ms
        return True

    def sweep(self, now_ms: int) -> None:
        self._until_ms = {account_id: until for account_id, until in self._until_ms.items() if until > now_ms}

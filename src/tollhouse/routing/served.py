"""Which accounts each provider key at each offer served, and when last. Kept for every good answer, in bounded memory.

A provider that answers somebody is not down, whatever others meet there: `Health` closes nothing to all while anybody
was served lately, and prefers accounts that were served before when it lets a few through.
"""

from typing import Final

from tollhouse.routing.circuit import QUIET_MS

ACCOUNTS_MAX: Final = 256  # per provider key at an offer; the newest half stays

CircuitKey = tuple[str, str, int]
"""Provider, upstream model, and the index of a provider key; `WHOLE` for the offer as such."""

WHOLE: Final = -1


class Served:
    """Times are Unix milliseconds."""

    __slots__ = ("_accounts", "_keys")

    def __init__(self) -> None:
        self._accounts: dict[CircuitKey, dict[str, int]] = {}
        self._keys: dict[CircuitKey, list[CircuitKey]] = {}  # of each offer, and of each key of it: itself

    def note(self, account: str, key: CircuitKey, now_ms: int) -> None:
        """A good answer, by a provider key. On the path of every call: two look-ups."""
        accounts = self._accounts.get(key)
        if accounts is None:
            accounts = self._accounts[key] = {}
            self._keys[key] = [key]
            self._keys.setdefault((key[0], key[1], WHOLE), []).append(key)
        accounts[account] = now_ms
        if len(accounts) > ACCOUNTS_MAX:
            for old in sorted(accounts, key=accounts.__getitem__)[: ACCOUNTS_MAX // 2]:
                del accounts[old]

    def knows(self, account: str, key: CircuitKey) -> bool:
        """Whether the account was served here and has not been shut out since."""
        return any(account in self._accounts[one] for one in self._keys.get(key, ()))

    def anybody_lately(self, key: CircuitKey, now_ms: int) -> bool:
        """Whether an account was served within the window and has not been shut out since."""
        since_ms = now_ms - QUIET_MS
        return any(at_ms >= since_ms for one in self._keys.get(key, ()) for at_ms in self._accounts[one].values())

    def forget_account(self, account: str, key: CircuitKey) -> None:
        """It failed often enough since: that it was served says nothing any more."""
        for one in self._keys.get(key, ()):
            self._accounts[one].pop(account, None)

    def forget_provider(self, provider: str) -> None:
        for kept in (self._accounts, self._keys):
            for key in [key for key in kept if key[0] == provider]:
                del kept[key]

    def size(self) -> int:
        """Entries in all."""
        return sum(len(accounts) for accounts in self._accounts.values())

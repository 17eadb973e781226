"""Which accounts each provider key at each offer served, and when last. Kept for every good answer, in bounded memory.

A provider that answers somebody is not down, whatever others meet there: `Health` closes nothing to all while anybody
was served lately, and prefers accounts that were served before when it lets a few through.
"""

from typing import Final

from tollhouse.core.catalogue import Offer
from tollhouse.routing.circuit import QUIET_MS

ACCOUNTS_MAX: Final = 256  # per provider key at an offer; the newest half stays

CircuitKey = tuple[str, str, int]
"""Provider, upstream model, and the index of a provider key; `WHOLE` for the offer as such."""

WHOLE: Final = -1


class Served:
    """Times are Unix milliseconds."""

    __slots__ = ("_offers",)

    def __init__(self) -> None:
        self._offers: dict[tuple[str, str], dict[int, dict[str, int]]] = {}

    def note(self, account: str, offer: Offer, slot: int, now_ms: int) -> None:
        """A good answer. On the path of every call: three look-ups."""
        slots = self._offers.get((offer.provider, offer.model))
        if slots is None:
            slots = self._offers[offer.provider, offer.model] = {}
        accounts = slots.get(slot)
        if accounts is None:
            accounts = slots[slot] = {}
        accounts[account] = now_ms
        if len(accounts) > ACCOUNTS_MAX:
            for old in sorted(accounts, key=accounts.__getitem__)[: ACCOUNTS_MAX // 2]:
                del accounts[old]

    def knows(self, account: str, key: CircuitKey) -> bool:
        """Whether the account was served here and has not been shut out since."""
        return any(account in accounts for accounts in self._at(key))

    def anybody_lately(self, key: CircuitKey, now_ms: int) -> bool:
        """Whether an account was served within the window and has not been shut out since."""
        since_ms = now_ms - QUIET_MS
        return any(at_ms >= since_ms for accounts in self._at(key) for at_ms in accounts.values())

    def forget_account(self, account: str, key: CircuitKey) -> None:
        """It failed often enough since: that it was served says nothing any more."""
        for accounts in self._at(key):
            accounts.pop(account, None)

    def forget_provider(self, provider: str) -> None:
        for offer in [offer for offer in self._offers if offer[0] == provider]:
            del self._offers[offer]

    def size(self) -> int:
        """Entries in all."""
        return sum(len(accounts) for slots in self._offers.values() for accounts in slots.values())

    def _at(self, key: CircuitKey) -> list[dict[str, int]]:
        provider, model, slot = key
        slots = self._offers.get((provider, model), {})
        if slot == WHOLE:
            return list(slots.values())
        return [slots[slot]] if slot in slots else []

"""What providers said of failures that the operator alone can mend: a bad key, an unknown model, a redirect, a crash.

A caller learns only that it was the provider; these are the provider's own words, without its keys, for the log,
`doctor` and `providers list`. Belongs to one event loop. Kept are the last of each (provider, upstream model), at most
TROUBLES_MAX; a call that is answered well ends it.
"""

from collections import OrderedDict
from typing import Final

from msgspec import Struct

TROUBLES_MAX: Final = 256
TOLD_AGAIN_MS: Final = 60_000  # a trouble that goes on is logged once in so long


class ProviderTrouble(Struct, frozen=True, kw_only=True):
    """Times are Unix milliseconds. `failures`: how many in a row, with these words or others."""

    provider: str
    model: str  # as the provider is asked for it
    words: str
    since_ms: int
    last_ms: int
    failures: int


class Troubles:
    __slots__ = ("_found", "_told_ms", "any")

    def __init__(self) -> None:
        self._found: OrderedDict[tuple[str, str], ProviderTrouble] = OrderedDict()
        self._told_ms: dict[tuple[str, str], int] = {}
        self.any = False  # since the process began: `succeeded` need be told

    def note(self, provider: str, model: str, words: str, now_ms: int) -> bool:
        """A call failed. Returns whether it is to be logged."""
        key = (provider, model)
        known = self._found.get(key)
        self.any = True
        self._found[key] = ProviderTrouble(
            provider=provider,
            model=model,
            words=words,
            since_ms=now_ms if known is None else known.since_ms,
            last_ms=now_ms,
            failures=1 if known is None else known.failures + 1,
        )
        self._found.move_to_end(key)
        if len(self._found) > TROUBLES_MAX:
            self._drop(next(iter(self._found)))
        told_ms = self._told_ms.get(key)
        if told_ms is not None and now_ms - told_ms < TOLD_AGAIN_MS:
            return False
        self._told_ms[key] = now_ms
        return True

    def succeeded(self, provider: str, model: str) -> None:
        self._drop((provider, model))

    def forget(self, provider: str) -> None:
        """Its configuration changed."""
        for key in [key for key in self._found if key[0] == provider]:
            self._drop(key)

    def of(self, provider: str) -> list[ProviderTrouble]:
        return [found for key, found in self._found.items() if key[0] == provider]

    def _drop(self, key: tuple[str, str]) -> None:
        self._found.pop(key, None)
        self._told_ms.pop(key, None)

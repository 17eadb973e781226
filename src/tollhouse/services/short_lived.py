"""What is kept in memory for some minutes between two pages, such as whose second factor is asked for.

A restart forgets it, and people begin that step again.
"""

from collections import OrderedDict
from typing import Final, Generic, TypeVar

T = TypeVar("T")

KEPT_MS: Final = 10 * 60_000
KEPT_MAX: Final = 10_000
"""The oldest one is forgotten for the next."""


class ShortLived(Generic[T]):
    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[int, T]] = OrderedDict()

    def put(self, key: str, value: T, now_ms: int) -> None:
        self._kept.pop(key, None)
        self._kept[key] = now_ms, value
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)

    def get(self, key: str, now_ms: int) -> T | None:
        since_ms, value = self._kept.get(key, (now_ms - KEPT_MS, None))
        return value if now_ms - since_ms < KEPT_MS else None

    def drop(self, key: str) -> None:
        self._kept.pop(key, None)

    def sweep(self, now_ms: int) -> None:
        for key, (since_ms, _) in list(self._kept.items()):
            if now_ms - since_ms < KEPT_MS:
                break
            del self._kept[key]

"""Wrong guesses in a row, of a password or a code: after ten of them each next one waits longer.

The first wait is a minute, and doubles to a quarter of an hour: some hundred guesses a day, for ever. A right one
forgets them. Kept in memory: the subject that was guessed longest ago is forgotten first.
"""

from collections import OrderedDict
from typing import Final

from msgspec import Struct

from tollhouse.core.failure import RateLimited
from tollhouse.core.limit_status import spelled
from tollhouse.core.phrase import Phrase

FREE: Final = 10
WAIT_MS: Final = 60_000
WAIT_MS_MAX: Final = 15 * 60_000
FORGOTTEN_AFTER_MS: Final = 24 * 3_600_000
KEPT_MAX: Final = 50_000


class WrongGuesses(Struct):
    count: int = 0
    last_ms: int = 0


class Guesses:
    """`what`: what is guessed, as "passwords for this address"."""

    __slots__ = ("_by_subject", "_what")

    def __init__(self, what: str) -> None:
        self._what = what
        self._by_subject: OrderedDict[str, WrongGuesses] = OrderedDict()

    def require_none_due(self, subject: str, now_ms: int) -> None:
        """Raises RateLimited while the subject has to wait."""
        found = self._by_subject.get(subject)
        if found is None or found.count < FREE:
            return
        wait_ms = min(WAIT_MS << min(found.count - FREE, 10), WAIT_MS_MAX) - max(0, now_ms - found.last_ms)
        if wait_ms > 0:
            raise RateLimited(
                Phrase(
                    "There were too many wrong %(what)s: the next may be tried in %(wait)s.",
                    what=Phrase(self._what),
                    wait=spelled(wait_ms),
                ),
                retry_after_ms=wait_ms,
            )

    def wrong(self, subject: str, now_ms: int) -> None:
        found = self._by_subject.setdefault(subject, WrongGuesses())
        self._by_subject.move_to_end(subject)
        found.count, found.last_ms = found.count + 1, now_ms
        if len(self._by_subject) > KEPT_MAX:
            self._by_subject.popitem(last=False)

    def right(self, subject: str) -> None:
        self._by_subject.pop(subject, None)

    def sweep(self, now_ms: int) -> None:
        for subject, found in list(self._by_subject.items()):
            if now_ms - found.last_ms < FORGOTTEN_AFTER_MS:
                break  # those behind were guessed later
            del self._by_subject[subject]

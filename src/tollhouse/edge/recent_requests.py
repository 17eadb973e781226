"""The calls that ended last, in the order of their ends: what `requests tail` follows.

Rows of calls lie in the order of their beginnings, so a call that takes a minute would turn up behind a reader's back.
This memory is of one process and of its last calls only; what is to be looked up later stands in the database.
"""

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

from tollhouse.core.failure import BadRequest
from tollhouse.core.usage_record import UsageRecord
from tollhouse.services.pages import Page

KEPT: Final = 1_000  # calls


class RecentRequests:
    """`began`: tells this process's cursors from those of one before it."""

    def __init__(self, began: int, kept: int = KEPT) -> None:
        self._began = began
        self._calls: deque[UsageRecord] = deque(maxlen=kept)
        self._ended = 0

    def add(self, calls: Sequence[UsageRecord]) -> None:
        """Calls that ended, in this order."""
        self._calls.extend(calls)
        self._ended += len(calls)

    def page(self, after: str | None, count: int, holds: Callable[[UsageRecord], bool]) -> Page[UsageRecord]:
        """Calls that ended after those of the page before, the oldest first; `next` is always there. Without `after`:
        the last `count`. What was dropped meanwhile is left out. Raises BadRequest for what is no cursor."""
        first = self._ended - len(self._calls)
        if after is None:
            found = [call for call in self._calls if holds(call)][-count:]
            return Page(tuple(found), self._cursor(self._ended))
        at = max(first, self._place(after))
        told: list[UsageRecord] = []
        for call in islice(self._calls, at - first, None):
            if len(told) == count:
                break
            at += 1
            if holds(call):
                told.append(call)
        return Page(tuple(told), self._cursor(at))

    def _cursor(self, ended: int) -> str:
        return f"{self._began}-{ended}"

    def _place(self, cursor: str) -> int:
        began, dash, ended = cursor.partition("-")
        if not (dash and all(part.isascii() and part.isdigit() and len(part) < 20 for part in (began, ended))):
            raise BadRequest("after: this is no cursor; give back `next` of the page before", param="after")
        return min(int(ended), self._ended) if int(began) == self._began else 0

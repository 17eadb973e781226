"""Who watches the calls of which account, and what they are told of those that end: one message a second at most.

Where nobody watches an account nothing is kept of its calls, and where nobody watches any, a call costs nothing.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from tollhouse.core.failure import RateLimited
from tollhouse.core.usage_record import UsageRecord

PER_PERSON_MAX: Final = 8
PER_ACCOUNT_MAX: Final = 40
TOGETHER_MAX: Final = 500
KEPT: Final = 100
"""Messages of an account that are told again to who was away."""


class LiveMessage(Struct, frozen=True):
    """What ended since the message before. `number` counts the messages of an account. Nano-USD."""

    number: int
    calls: int
    failed: int
    charge: int


class CallWatch:
    """One who watches: `news` is set when there is a message behind `seen`."""

    __slots__ = ("_account", "news", "seen")

    def __init__(self, account: "WatchedAccount") -> None:
        self._account = account
        self.news = asyncio.Event()
        self.seen = account.number

    def resume(self, number: int) -> bool:
        """Go on behind a message; False: what came since is not kept any more."""
        kept = self._account.kept
        first = kept[0].number if kept else self._account.number + 1
        if not first - 1 <= number <= self._account.number:
            return False
        self.seen = number
        if number < self._account.number:
            self.news.set()
        return True

    def take(self) -> list[LiveMessage]:
        """The messages that were not taken yet, in their order."""
        self.news.clear()
        found = [message for message in self._account.kept if message.number > self.seen]
        self.seen = self._account.number
        return found


class WatchedAccount:
    """What ended and was not told yet, and the last messages. Times in seconds of the loop."""

    def __init__(self, settle_s: float, every_s: float) -> None:
        self._settle_s, self._every_s = settle_s, every_s
        self._calls = self._failed = self._charge = 0
        self._next_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.kept: deque[LiveMessage] = deque(maxlen=KEPT)
        self.number = 0
        self.watches: set[CallWatch] = set()

    def count(self, call: UsageRecord) -> None:
        self._calls += 1
        self._failed += call.status >= 400
        if call.charge is not None and call.mode == "live":
            self._charge += call.charge.amount
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(max(loop.time() + self._settle_s, self._next_s), self._tell)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _tell(self) -> None:
        self._timer = None
        self._next_s = asyncio.get_running_loop().time() + self._every_s
        self.number += 1
        self.kept.append(LiveMessage(self.number, self._calls, self._failed, self._charge))
        self._calls = self._failed = self._charge = 0
        for watch in self.watches:
            watch.news.set()


class LiveCalls:
    """`began` tells the messages of this process from those of one before it. settle_s: what ends within so long is
    told together; every_s: between two messages of an account; remember_s: how long an account is kept that nobody
    watches any more, for who comes back."""

    def __init__(self, began: int, settle_s: float = 0.2, every_s: float = 1.0, remember_s: float = 60.0) -> None:
        self.began = began
        self._settle_s, self._every_s, self._remember_s = settle_s, every_s, remember_s
        self._accounts: dict[str, WatchedAccount] = {}
        self._people: Counter[str] = Counter()

    def ended(self, calls: Sequence[UsageRecord]) -> None:
        """Calls that ended in one turn of the event loop."""
        if self._accounts:
            for call in calls:
                account = self._accounts.get(call.account_id)
                if account is not None:
                    account.count(call)

    @contextmanager
    def watch(self, account_id: str, person_id: str) -> Iterator[CallWatch]:
        """Raises RateLimited where too many watch."""
        account = self._accounts.get(account_id)
        watching = 0 if account is None else len(account.watches)
        if (
            self._people[person_id] >= PER_PERSON_MAX
            or watching >= PER_ACCOUNT_MAX
            or self._people.total() >= TOGETHER_MAX
        ):
            raise RateLimited("too many pages watch calls at once: close some of them", retry_after_ms=30_000)
        if account is None:
            account = self._accounts[account_id] = WatchedAccount(self._settle_s, self._every_s)
        watch = CallWatch(account)
        account.watches.add(watch)
        self._people[person_id] += 1
        try:
            yield watch
        finally:
            account.watches.discard(watch)
            self._people[person_id] -= 1
            if not self._people[person_id]:
                del self._people[person_id]
            if not account.watches:
                asyncio.get_running_loop().call_later(self._remember_s, self._forget, account_id)

    def _forget(self, account_id: str) -> None:
        account = self._accounts.get(account_id)
        if account is not None and not account.watches:
            account.stop()
            del self._accounts[account_id]

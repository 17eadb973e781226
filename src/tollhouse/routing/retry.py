"""When a failed attempt may be followed by another one, and how many of those the whole process allows itself.

Retries help against one bad provider and hurt when everything is down: they multiply the load. Hence a budget: each
call earns a tenth of a retry, each retry costs one, so that in a long outage attempts stay below 1.1 times the calls
(plus the reserve, once, and one retry a second so that a quiet platform fails over too). Each account has a smaller
budget of the same form inside the shared one, so that one account's failing calls leave retries to the others. Of the
last tenth of the reserve an account gets none that has spent as many as are left: however many accounts fail together,
something is left to the next one.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from tollhouse.core.failure import Failure, UpstreamUnreachable
from tollhouse.routing.choice import Choice
from tollhouse.routing.health import Blame

ATTEMPTS_MAX: Final = 4

BACKOFF_BASE_MS: Final = 50
BACKOFF_MAX_MS: Final = 2_000

ACCOUNTS_MAX: Final = 1_000  # that spent retries, in the memory of the budget

_MILLI: Final = 1_000  # the budget counts thousandths of a retry


def elsewhere(failure: Failure, blame: Blame) -> bool:
    """Whether another offer or key may do better. Only before the first byte of an answer has gone to the caller."""
    return blame in ("key", "offer", "model", "format")


def again(failure: Failure, attempts: int) -> bool:
    """Whether the same place may be asked once more when no other is left: only if nothing was sent, since a provider
    that read the call may charge for it twice; and once. Callers' SDKs retry the rest, knowing what a repeat costs."""
    return isinstance(failure, UpstreamUnreachable) and attempts < 2


def following(choices: Sequence[Choice], at: int, blame: Blame) -> int | None:
    """The index to try after `choices[at]` failed, or None.

    After a key's fault the offer's next key is next; after an offer's own fault another key would only fail again.
    """
    for place in range(at + 1, len(choices)):
        if blame == "key" or choices[place].offer != choices[at].offer:
            return place
    return None


def backoff_ms(attempts: int, random: float) -> int:
    """How long to wait before asking the same place again, after so many attempts: doubling, the upper half drawn by
    lot (`random` in [0, 1)) so that callers who failed together do not return together."""
    maximum = min(BACKOFF_BASE_MS << min(max(attempts - 1, 0), 16), BACKOFF_MAX_MS)
    return int(maximum * (0.5 + 0.5 * random))


class RetryBudget:
    """The retries the process may still make. One for all models: an outage rarely stops at one.

    Within it an account may spend what its own calls earned, and `account_reserve` at once. Accounts that spent some
    are remembered: 1,000 at most, the one that began to spend first goes first.
    """

    __slots__ = ("_account_reserve", "_accounts", "_all", "_floor", "_last", "_ratio", "_reserve")

    def __init__(
        self,
        *,
        ratio: float = 0.1,
        floor_per_second: float = 1.0,
        reserve: int = 100,
        account_reserve: int = 50,
    ) -> None:
        """`ratio`: retries earned by a call. `reserve`: the most that can be saved up, and what there is at first;
        `account_reserve`: of that, what one account can spend at once."""
        self._ratio = int(ratio * _MILLI)
        self._floor = int(floor_per_second * _MILLI)
        self._reserve = reserve * _MILLI
        self._account_reserve = account_reserve * _MILLI
        self._last = self._reserve // 10
        self._all = _Savings(self._reserve)
        self._accounts: OrderedDict[str, _Savings] = OrderedDict()

    def deposit(self, account: str) -> None:
        """A call of this account begins."""
        self._all.left = min(self._all.left + self._ratio, self._reserve)
        if self._accounts:
            own = self._accounts.get(account)
            if own is not None:
                own.left += self._ratio
                if own.left >= self._account_reserve:
                    del self._accounts[account]

    def withdraw(self, account: str, now_ms: int) -> bool:
        """Take one retry; False: none is left, to the account or in all, and the failure goes to the caller."""
        own = self._accounts.get(account)
        if own is None:
            own = self._accounts[account] = _Savings(self._account_reserve)
            if len(self._accounts) > ACCOUNTS_MAX:
                self._accounts.popitem(last=False)
        own.earn(self._floor, self._account_reserve, now_ms)
        self._all.earn(self._floor, self._reserve, now_ms)
        if own.left < _MILLI or self._all.left < _MILLI:
            return False
        if self._all.left <= self._last and self._account_reserve - own.left >= self._all.left:
            return False
        own.left -= _MILLI
        self._all.left -= _MILLI
        return True

    def left(self) -> int:
        """Whole retries left in all, for metrics."""
        return self._all.left // _MILLI

    def accounts(self) -> int:
        """How many accounts are remembered."""
        return len(self._accounts)


class _Savings:
    __slots__ = ("at_ms", "left")

    def __init__(self, left: int) -> None:
        self.left = left
        self.at_ms: int | None = None

    def earn(self, per_second: int, maximum: int, now_ms: int) -> None:
        """Add what time has brought since it was asked last."""
        if self.at_ms is None:
            self.at_ms = now_ms
        earned = (now_ms - self.at_ms) * per_second // 1_000
        if earned > 0:
            self.left = min(self.left + earned, maximum)
            self.at_ms = now_ms

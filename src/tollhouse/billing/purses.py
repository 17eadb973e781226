"""Every purse of the platform, and which of them a call has to be paid from."""

from msgspec import Struct

from tollhouse.billing.book import Purse
from tollhouse.billing.budgets import Budget
from tollhouse.billing.windows import Window
from tollhouse.core.account import ApiKey
from tollhouse.core.counter import Counter

WINDOWS_KEPT = 2  # of a budget, before the present one: the clock may go back, and what was spent there still counts


class _Standing(Struct):
    """A budget, its present window, and its purses by the start of theirs."""

    budget: Budget
    window: Window
    purses: dict[int, Purse]


class Purses:
    """Belongs to one event loop, hence exact. What was spent before comes from the store when a purse is put here."""

    def __init__(self) -> None:
        self._money: dict[str, Purse] = {}
        self._budgets: dict[str, _Standing] = {}
        self._by_object: dict[tuple[str, str], list[_Standing]] = {}

    def put_money(self, account_id: str, limit: int | None, spent: int = 0) -> Purse:
        """The money of an account: `limit` is all that was put in plus the credit limit (None: unlimited), `spent` all
        that was charged. A purse that is here already keeps what it has spent and holds, and takes the new limit."""
        purse = self._money.get(account_id)
        if purse is None:
            purse = Purse(id=account_id, limit=limit, spent=spent, kind="money", object_id=account_id)
            self._money[account_id] = purse
        purse.limit = limit
        return purse

    def money(self, account_id: str) -> Purse:
        """An account that nobody has put here has no money."""
        return self._money.get(account_id) or self.put_money(account_id, 0)

    def put_budget(self, budget: Budget, now_ms: int, spent: int = 0) -> Purse:
        """Let a budget bind. `spent`: what its present window already holds.

        One that is here already and keeps its window goes on with what it has spent and holds. Raises BadZone.
        """
        window = budget.window(now_ms)
        known = self._budgets.get(budget.id)
        purses: dict[int, Purse] = {}
        if known is not None:
            self.remove_budget(budget.id)
            if budget.kind == known.budget.kind and (budget.kind == "total" or budget.zone == known.budget.zone):
                purses = known.purses
        standing = _Standing(budget, window, purses)
        for purse in purses.values():
            purse.limit, purse.soft, purse.model, purse.system = budget.amount, budget.soft, budget.model, budget.system
        if window.start_ms not in purses:
            purses[window.start_ms] = _purse(budget, window, spent)
        self._budgets[budget.id] = standing
        self._by_object.setdefault((budget.level, budget.object_id), []).append(standing)
        return purses[window.start_ms]

    def recall(self, counter: Counter) -> None:
        """What a window of a budget that is here had spent before this process began: the present one, one before it
        that the clock may go back to, or one after it where the clock was ahead once."""
        standing = self._budgets.get(counter.budget_id)
        if standing is not None:
            window = standing.budget.window(counter.starts_at_ms)
            if window.start_ms == counter.starts_at_ms:  # or else the zone has other midnights now
                purse = standing.purses[window.start_ms] = _purse(standing.budget, window, counter.spent)
                purse.overrun = counter.overrun

    def remove_budget(self, budget_id: str) -> None:
        """No more calls are held on it. Holds that are open end as they would have."""
        standing = self._budgets.pop(budget_id, None)
        if standing is not None:
            self._by_object[standing.budget.level, standing.budget.object_id].remove(standing)

    def present(self, budget_id: str, now_ms: int) -> Purse | None:
        """A budget's present window; None if it binds no more."""
        standing = self._budgets.get(budget_id)
        return None if standing is None else self._now(standing, now_ms)

    def budgets(self, key: ApiKey) -> list[Budget]:
        """Every budget over a key, from the key up."""
        return [standing.budget for standing in self._over(key)]

    def of(self, key: ApiKey, now_ms: int, model: str | None = None) -> list[Purse]:
        """Every purse that pays for a call admitted now: budgets of key, project and account, and the money.

        model None: those that pay for any model, which is what a balance is asked of.
        """
        purses = [
            self._now(standing, now_ms)
            for standing in self._over(key)
            if (standing.budget.model is None if model is None else standing.budget.covers(key, model))
        ]
        purses.append(self.money(key.account_id))
        return purses

    def standing(self, key: ApiKey, now_ms: int) -> list[Purse]:
        """The purses of all budgets over a key in their present windows, those for some models among them."""
        return [self._now(standing, now_ms) for standing in self._over(key)]

    def _over(self, key: ApiKey) -> list[_Standing]:
        by_object = self._by_object
        return [
            *by_object.get(("key", key.id), ()),
            *by_object.get(("project", key.project_id), ()),
            *by_object.get(("account", key.account_id), ()),
        ]

    @staticmethod
    def _now(standing: _Standing, now_ms: int) -> Purse:
        window, purses = standing.window, standing.purses
        if window.end_ms is not None and not window.start_ms <= now_ms < window.end_ms:
            window = standing.window = standing.budget.window(now_ms)
            if window.start_ms not in purses:
                purses[window.start_ms] = _purse(standing.budget, window, 0)
                before = sorted(start_ms for start_ms in purses if start_ms < window.start_ms)
                for start_ms in before[:-WINDOWS_KEPT]:
                    if not purses[start_ms].held:
                        del purses[start_ms]
        return purses[window.start_ms]


def _purse(budget: Budget, window: Window, spent: int) -> Purse:
    return Purse(
        id=budget.id,
        limit=budget.amount,
        spent=spent,
        level=budget.level,
        object_id=budget.object_id,
        window=budget.kind,
        starts_at_ms=window.start_ms,
        resets_at_ms=window.end_ms,
        model=budget.model,
        soft=budget.soft,
        system=budget.system,
    )

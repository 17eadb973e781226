"""Every counter of the platform, and which of them a call has to be paid from."""

from msgspec import Struct

from tollhouse.billing.budgets import Budget
from tollhouse.billing.holds import SpendingCounter
from tollhouse.billing.windows import Window
from tollhouse.core.account import ApiKey
from tollhouse.core.counter import BudgetCounter

WINDOWS_KEPT = 2  # of a budget, before the present one: the clock may go back, and what was spent there still counts


class _BudgetWindow(Struct):
    """A budget, its present window, and its counters by the start of theirs."""

    budget: Budget
    window: Window
    counters: dict[int, SpendingCounter]


class SpendingCounters:
    """Belongs to one event loop, hence exact. What was spent before comes from the store when a counter is put here."""

    def __init__(self) -> None:
        self._money: dict[str, SpendingCounter] = {}
        self._budgets: dict[str, _BudgetWindow] = {}
        self._by_object: dict[tuple[str, str], list[_BudgetWindow]] = {}

    def put_money(self, account_id: str, limit: int | None, spent: int = 0) -> SpendingCounter:
        """The money of an account: `limit` is all that was put in plus the credit limit (None: unlimited), `spent` all
        that was charged. A counter that is here already keeps what it has spent and holds, and takes the new limit."""
        counter = self._money.get(account_id)
        if counter is None:
            counter = SpendingCounter(id=account_id, limit=limit, spent=spent, kind="money", object_id=account_id)
            self._money[account_id] = counter
        counter.limit = limit
        return counter

    def money(self, account_id: str) -> SpendingCounter:
        """An account that nobody has put here has no money."""
        return self._money.get(account_id) or self.put_money(account_id, 0)

    def put_budget(self, budget: Budget, now_ms: int, spent: int = 0) -> SpendingCounter:
        """Let a budget bind. `spent`: what its present window already holds.

        One that is here already and keeps its window goes on with what it has spent and holds. Raises BadZone.
        """
        window = budget.window(now_ms)
        known = self._budgets.get(budget.id)
        counters: dict[int, SpendingCounter] = {}
        if known is not None:
            self.remove_budget(budget.id)
            if budget.kind == known.budget.kind and (budget.kind == "total" or budget.zone == known.budget.zone):
                counters = known.counters
        state = _BudgetWindow(budget, window, counters)
        for counter in counters.values():
            counter.limit, counter.soft, counter.model, counter.system = (
                budget.amount,
                budget.soft,
                budget.model,
                budget.system,
            )
        if window.start_ms not in counters:
            counters[window.start_ms] = _counter(budget, window, spent)
        self._budgets[budget.id] = state
        self._by_object.setdefault((budget.level, budget.object_id), []).append(state)
        return counters[window.start_ms]

    def recall(self, budget_counter: BudgetCounter) -> None:
        """What a window of a budget that is here had spent before this process began: the present one, one before it
        that the clock may go back to, or one after it where the clock was ahead once."""
        state = self._budgets.get(budget_counter.budget_id)
        if state is not None:
            window = state.budget.window(budget_counter.starts_at_ms)
            if window.start_ms == budget_counter.starts_at_ms:  # or else the zone has other midnights now
                counter = state.counters[window.start_ms] = _counter(state.budget, window, budget_counter.spent)
                counter.overrun = budget_counter.overrun

    def remove_budget(self, budget_id: str) -> None:
        """No more calls are held on it. Holds that are open end as they would have."""
        state = self._budgets.pop(budget_id, None)
        if state is not None:
            self._by_object[state.budget.level, state.budget.object_id].remove(state)

    def present(self, budget_id: str, now_ms: int) -> SpendingCounter | None:
        """A budget's present window; None if it binds no more."""
        state = self._budgets.get(budget_id)
        return None if state is None else self._now(state, now_ms)

    def budgets(self, key: ApiKey) -> list[Budget]:
        """Every budget over a key, from the key up."""
        return [state.budget for state in self._over(key)]

    def of(self, key: ApiKey, now_ms: int, model: str | None = None) -> list[SpendingCounter]:
        """Every counter that pays for a call admitted now: budgets of key, project and account, and the money.

        model None: those that pay for any model, which is what a balance is asked of.
        """
        if not self._budgets:
            return [self._money.get(key.account_id) or self.money(key.account_id)]
        counters = [
            self._now(state, now_ms)
            for state in self._over(key)
            if (state.budget.model is None if model is None else state.budget.covers(key, model))
        ]
        counters.append(self.money(key.account_id))
        return counters

    def standing(self, key: ApiKey, now_ms: int) -> list[SpendingCounter]:
        """The counters of all budgets over a key in their present windows, those for some models among them."""
        return [self._now(state, now_ms) for state in self._over(key)]

    def _over(self, key: ApiKey) -> list[_BudgetWindow]:
        by_object = self._by_object
        return [
            *by_object.get(("key", key.id), ()),
            *by_object.get(("project", key.project_id), ()),
            *by_object.get(("account", key.account_id), ()),
        ]

    @staticmethod
    def _now(state: _BudgetWindow, now_ms: int) -> SpendingCounter:
        window, counters = state.window, state.counters
        if window.end_ms is not None and not window.start_ms <= now_ms < window.end_ms:
            window = state.window = state.budget.window(now_ms)
            if window.start_ms not in counters:
                counters[window.start_ms] = _counter(state.budget, window, 0)
                before = sorted(start_ms for start_ms in counters if start_ms < window.start_ms)
                for start_ms in before[:-WINDOWS_KEPT]:
                    if not counters[start_ms].held:
                        del counters[start_ms]
        return counters[window.start_ms]


def _counter(budget: Budget, window: Window, spent: int) -> SpendingCounter:
    return SpendingCounter(
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

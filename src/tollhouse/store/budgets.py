"""Rows of budgets, and the counters of their windows, which `charges` adds to."""

from collections.abc import Mapping

from msgspec import structs
from sqlalchemy import and_, insert, or_, select, text

from tollhouse.billing.budgets import Budget
from tollhouse.billing.spending_counters import WINDOWS_KEPT
from tollhouse.billing.windows import WindowKind
from tollhouse.core.counter import BudgetCounter
from tollhouse.core.roll_up import HOUR_MS
from tollhouse.store.driver import remembered
from tollhouse.store.records import record
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import budget_counters, budgets

_SOFT = text("soft <> '[]'")
_LONGEST_MS: Mapping[WindowKind, int] = {"day": 25 * HOUR_MS, "week": 169 * HOUR_MS, "month": 745 * HOUR_MS}
"""Of the windows that end: with an hour more, where the clocks go back."""


class SqlBudgetRepository(SqlRecordRepository[Budget]):
    """A budget's counters stay when it is removed: calls in flight still count."""

    table, kind, noted = budgets, Budget, "budget"

    def on(self, level: str, object_id: str) -> list[Budget]:
        question = select(budgets).where(budgets.c.level == level, budgets.c.object_id == object_id)
        return self._found(question.order_by(budgets.c.id))

    def with_thresholds(self) -> list[Budget]:
        # Spelled as the index spells it, or it would not be used.
        return self._found(select(budgets).where(_SOFT))

    def counter(self, budget_id: str, starts_at_ms: int) -> BudgetCounter:
        """Of a window in which nothing was spent: zero."""
        question = select(budget_counters).where(
            budget_counters.c.budget_id == budget_id, budget_counters.c.starts_at_ms == starts_at_ms
        )
        row = self._connection.execute(question).mappings().first()
        return (
            BudgetCounter(budget_id=budget_id, starts_at_ms=starts_at_ms) if row is None else record(row, BudgetCounter)
        )

    def open_counter(self, budget_counter: BudgetCounter) -> None:
        """Begin a window that holds something already."""
        self._connection.execute(insert(budget_counters).values(structs.asdict(budget_counter)))

    def every_counter(self) -> list[BudgetCounter]:
        question = select(budget_counters).order_by(budget_counters.c.budget_id, budget_counters.c.starts_at_ms)
        return [record(row, BudgetCounter) for row in self._connection.execute(question).mappings()]

    def recent_counters(self, now_ms: int) -> list[BudgetCounter]:
        """Of every budget: its present window, those before it that a clock set back leads to, and all after it."""
        kept = WINDOWS_KEPT + 1
        recent = or_(
            budgets.c.kind == "total",
            *(
                and_(budgets.c.kind == kind, budget_counters.c.starts_at_ms >= now_ms - kept * longest_ms)
                for kind, longest_ms in _LONGEST_MS.items()
            ),
        )
        question = select(budget_counters).join(budgets, budgets.c.id == budget_counters.c.budget_id).where(recent)
        return [record(row, BudgetCounter) for row in self._connection.execute(question).mappings()]

    def _changed(self, row_id: str) -> None:
        super()._changed(row_id)
        remembered(self._connection).pop("watched", None)  # see `crossings`

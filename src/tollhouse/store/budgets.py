"""Rows of budgets, and the counters of their windows, which `charges` adds to."""

from collections.abc import Mapping
from typing import Any

from msgspec import json, structs
from sqlalchemy import Connection, and_, delete, insert, or_, select, text, update

from tollhouse.billing.budgets import Budget
from tollhouse.billing.spending_counters import WINDOWS_KEPT
from tollhouse.billing.windows import WindowKind
from tollhouse.core.counter import BudgetCounter
from tollhouse.core.roll_up import HOUR_MS
from tollhouse.store.changes import note
from tollhouse.store.driver import remembered
from tollhouse.store.pages import Cursor, page
from tollhouse.store.records import record
from tollhouse.store.schema import budget_counters, budgets

_SOFT = text("soft <> '[]'")
_LONGEST_MS: Mapping[WindowKind, int] = {"day": 25 * HOUR_MS, "week": 169 * HOUR_MS, "month": 745 * HOUR_MS}
"""Of the windows that end: with an hour more, where the clocks go back."""


class SqlBudgetRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, budget: Budget) -> None:
        self._connection.execute(insert(budgets).values(_row(budget)))
        self._changed(budget.id)

    def save(self, budget: Budget) -> None:
        self._connection.execute(update(budgets).where(budgets.c.id == budget.id).values(_row(budget)))
        self._changed(budget.id)

    def remove(self, budget_id: str) -> None:
        """Its counters stay: calls in flight still count."""
        self._connection.execute(delete(budgets).where(budgets.c.id == budget_id))
        self._changed(budget_id)

    def get(self, budget_id: str) -> Budget | None:
        row = self._connection.execute(select(budgets).where(budgets.c.id == budget_id)).mappings().first()
        return None if row is None else _budget(row)

    def on(self, level: str, object_id: str) -> list[Budget]:
        question = select(budgets).where(budgets.c.level == level, budgets.c.object_id == object_id)
        return [_budget(row) for row in self._connection.execute(question.order_by(budgets.c.id)).mappings()]

    def page(self, *, before: Cursor | None, limit: int, account_id: str | None = None) -> list[Budget]:
        question = select(budgets)
        if account_id is not None:
            question = question.where(budgets.c.account_id == account_id)
        question = page(question, budgets.c.created_at_ms, budgets.c.id, before, limit)
        return [_budget(row) for row in self._connection.execute(question).mappings()]

    def list_all(self) -> list[Budget]:
        return [_budget(row) for row in self._connection.execute(select(budgets)).mappings()]

    def with_thresholds(self) -> list[Budget]:
        # Spelled as the index spells it, or it would not be used.
        return [_budget(row) for row in self._connection.execute(select(budgets).where(_SOFT)).mappings()]

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

    def _changed(self, budget_id: str) -> None:
        note(self._connection, "budget", budget_id)
        remembered(self._connection).pop("watched", None)  # see `crossings`


def _row(budget: Budget) -> dict[str, object]:
    return structs.asdict(budget) | {"soft": json.encode(budget.soft).decode()}


def _budget(row: Any) -> Budget:
    return record(dict(row) | {"system": bool(row["system"])}, Budget, as_json=("soft",))

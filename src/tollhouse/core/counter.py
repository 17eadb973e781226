"""What one window of one budget has spent."""

from msgspec import Struct


class BudgetCounter(Struct, frozen=True, kw_only=True):
    """Nano-USD. `opening`: of `spent`, what the window held before the budget was made."""

    budget_id: str
    starts_at_ms: int
    opening: int = 0
    spent: int = 0
    overrun: int = 0

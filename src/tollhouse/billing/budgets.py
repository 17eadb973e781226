"""A budget: so much money, in such a window, on an account, a project or a key. Its amount is a hard limit."""

from typing import Literal

from msgspec import Struct

from tollhouse.billing.windows import Window, WindowKind, window
from tollhouse.core.account import ApiKey

Level = Literal["account", "project", "key"]


class Budget(Struct, frozen=True, kw_only=True):
    """`soft`: percentages at which people are told. `system`: set by the operator, beyond the owner's reach."""

    id: str  # bud_...
    account_id: str
    level: Level
    object_id: str  # the account, project or key it stands on
    amount: int  # nano-USD
    kind: WindowKind
    zone: str = "UTC"
    model: str | None = None
    soft: tuple[int, ...] = ()
    mail: str | None = None
    webhook: str | None = None
    system: bool = False
    created_at_ms: int

    def window(self, now_ms: int) -> Window:
        return window(self.kind, now_ms, self.zone, self.created_at_ms)

    def covers(self, key: ApiKey, model: str) -> bool:
        """Does a call of this key to this model count here?"""
        if self.model is not None and self.model != model:
            return False
        if self.level == "key":
            return key.id == self.object_id
        if self.level == "project":
            return key.project_id == self.object_id
        return key.account_id == self.object_id


def thresholds_reached(budget: Budget, before: int, after: int) -> tuple[int, ...]:
    """The soft thresholds that a counter passes on its way from one amount to another, each at >= its percentage."""
    return tuple(
        percent
        for percent in sorted(budget.soft)
        if before * 100 < budget.amount * percent <= after * 100 or (budget.amount == 0 and before == 0 < after)
    )

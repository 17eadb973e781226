"""A budget: so much money, in such a window, on an account, a project or a key. Its amount is a hard limit."""

from collections.abc import Container, Iterable
from typing import Annotated, Literal

from tollhouse.billing.windows import Window, WindowKind, window
from tollhouse.core.account import ApiKey
from tollhouse.core.fields import Fields, Help
from tollhouse.core.phrase import Phrase

Level = Literal["account", "project", "key"]
SOFT_MAX = 100  # percent: beyond the amount nothing is spent, so nothing could be told


class BadBudget(ValueError):
    """A budget cannot be so. `field` is the one to blame."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


class BudgetFields(Fields, frozen=True, kw_only=True):
    """`model`: counts only calls to this model, or to those that begin so where it ends in `*`. `soft`: percentages of
    the amount at which people are told, ascending."""

    model: Annotated[str | None, Help("count only calls to this model")] = None
    soft: Annotated[
        tuple[int, ...], Help("a percentage at which people are told; may be repeated", clearable=True)
    ] = ()
    mail: Annotated[str | None, Help("a mail address that is told besides the account's owners")] = None
    webhook: Annotated[
        str | None, Help("https://... is told by a signed POST; slack://..., discord://... in a chat")
    ] = None


class Budget(BudgetFields, frozen=True):
    """`amount` 0 lets nothing in. `system`: set by the operator, beyond the owner's reach. Raises BadBudget where it is
    made with what no budget can have."""

    id: str  # bud_...
    account_id: str
    level: Level
    object_id: str  # the account, project or key it stands on
    amount: int  # nano-USD
    kind: WindowKind
    created_at_ms: int
    zone: str = "UTC"
    system: bool = False

    def __post_init__(self) -> None:
        if self.amount < 0:
            raise BadBudget("amount", Phrase("a budget cannot be less than 0, which lets nothing in"))
        if self.model is not None and not self.model.strip("*"):
            raise BadBudget("model", Phrase("name a model, or leave it out for all models"))
        if list(self.soft) != read_soft(self.soft):
            raise BadBudget("soft", Phrase("thresholds ascend, each once"))

    def window(self, now_ms: int) -> Window:
        """Raises windows.BadZone."""
        return window(self.kind, now_ms, self.zone, self.created_at_ms)

    def covers(self, key: ApiKey, model: str) -> bool:
        """Does a call of this key to this model count here?"""
        if self.model is not None and not matches(self.model, model):
            return False
        if self.level == "key":
            return key.id == self.object_id
        if self.level == "project":
            return key.project_id == self.object_id
        return key.account_id == self.object_id

    def replaces(self, other: "Budget") -> bool:
        """Is this the same budget set anew: same object, window, model, and owner's or operator's as before?"""
        return self._place() == other._place()

    def threshold(self, percent: int) -> int:
        """The first amount in nano-USD that has reached a threshold."""
        return -(-self.amount * percent // 100)

    def _place(self) -> tuple[str, str, WindowKind, str | None, bool]:
        return self.level, self.object_id, self.kind, self.model, self.system


def matches(pattern: str, model: str) -> bool:
    return model.startswith(pattern[:-1]) if pattern.endswith("*") else model == pattern


def read_soft(percents: Iterable[int]) -> list[int]:
    """Thresholds in the order they will be reached, each once. Raises BadBudget for what is none of 1 to 100."""
    found = set()
    for percent in percents:
        if type(percent) is not int or not 1 <= percent <= SOFT_MAX:
            raise BadBudget(
                "soft",
                Phrase(
                    "%(given)s is no threshold: write whole percents from 1 to %(most)s",
                    given=repr(percent),
                    most=SOFT_MAX,
                ),
            )
        found.add(percent)
    return sorted(found)


def thresholds_due(budget: Budget, spent: int, notified: Container[int] = ()) -> tuple[int, ...]:
    """The soft thresholds that a counter has reached and nobody was told of in this window, ascending.

    Reached is reached however it came about: by many small charges, one that jumps over several, a budget that was
    lowered, or one that was made when its window already held so much. `told` keeps each to once, also where a refund
    takes a counter back below it.
    """
    if spent <= 0:
        return ()
    return tuple(
        percent for percent in budget.soft if spent * 100 >= budget.amount * percent and percent not in notified
    )

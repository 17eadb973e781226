"""What is given to set a budget, and to list them."""

from typing import Annotated, get_args

from msgspec import Struct

from tollhouse.billing.budgets import BudgetFields
from tollhouse.billing.windows import WindowKind
from tollhouse.core.fields import AccountReference, Help, KeyReference, ProjectReference
from tollhouse.services.given.paging import Paging

WINDOWS: tuple[WindowKind, ...] = get_args(WindowKind)


class NewBudget(BudgetFields, frozen=True):
    """On one of `account`, `project` and `key`. `soft`: percentages at which people are told: the account's owners and
    `mail` by mail, `webhook` by a signed POST."""

    amount_usd: Annotated[str, Help("US dollars; 0 refuses every call", option="amount")]
    window: Annotated[str, Help("when it begins anew", choices=WINDOWS)]
    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None
    zone: Annotated[str | None, Help("a time zone such as Europe/Berlin; absent: the account's")] = None
    system: Annotated[bool, Help("the operator's own: owners cannot raise or remove it")] = False


class BudgetQuery(Paging, frozen=True):
    account: AccountReference = None


class BudgetRehearsal(Struct, frozen=True, kw_only=True):
    """A budget that does not stand, on one of `account`, `project` and `key`: what would it have done?"""

    amount_usd: Annotated[str, Help("US dollars", option="amount")]
    window: Annotated[str, Help("when it begins anew", choices=WINDOWS)]
    account: AccountReference = None
    project: ProjectReference = None
    key: KeyReference = None
    model: Annotated[str | None, Help("count only calls to this model")] = None

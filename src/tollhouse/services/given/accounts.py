"""What is given to open an account, and to change one."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.account import AccountFields
from tollhouse.core.fields import Help


class NewAccount(AccountFields, frozen=True):
    credit_limit_usd: Annotated[
        str | None, Help("USD it may owe, or unlimited; default: as the plan says", option="credit-limit")
    ] = None


class AccountZone(Struct, frozen=True, kw_only=True):
    zone: Annotated[str | None, Help("such as Europe/Berlin")] = None


class AccountChange(Struct, frozen=True, kw_only=True):
    """What is absent stays as it is."""

    credit_limit_usd: Annotated[str | None, Help("USD it may owe, or unlimited", option="credit-limit")] = None
    price_list: Annotated[str | None, Help("by which list of prices it buys")] = None
    multiplier: Annotated[str | None, Help("how many times its prices it pays, such as 1.2")] = None
    groups: Annotated[
        tuple[str, ...] | None, Help("a group of models open to it; may be repeated", option="group", clearable=True)
    ] = None
    email: Annotated[str | None, Help("where its owner is reached")] = None
    zone: Annotated[
        str | None, Help("in which its budgets begin anew that name none, such as Europe/Berlin; default: UTC")
    ] = None

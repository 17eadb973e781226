"""What is given to make redeem codes, and to redeem one."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.code import CodeFields
from tollhouse.core.fields import AccountReference, Expires, Help


class NewCodeFields(CodeFields, frozen=True):
    amount_usd: Annotated[str, Help("US dollars, such as 25 or 0.50", option="amount")]  # of each
    count: Annotated[int, Help("how many; default: one")] = 1


class NewCodes(NewCodeFields, frozen=True):
    expires: Expires = None


class Redemption(Struct, frozen=True):
    code: Annotated[str, Help("")]  # as people type it: hyphens, blanks and capitals do not matter
    account: AccountReference = None  # absent: the caller's own

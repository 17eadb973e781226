"""What is given to make redeem codes, and to redeem one."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import AccountReference, Help


class NewCodes(Struct, frozen=True, kw_only=True):
    amount_usd: Annotated[str, Help("US dollars, such as 25 or 0.50", option="amount")]  # of each
    count: Annotated[int, Help("how many; default: one")] = 1
    expires: Annotated[str | None, Help("30d, a date, or a time; absent: never")] = None
    note: Annotated[str, Help("what they are for")] = ""


class Redemption(Struct, frozen=True, kw_only=True):
    code: Annotated[str, Help("")]  # as people type it: hyphens, blanks and capitals do not matter
    account: AccountReference = None  # absent: the caller's own

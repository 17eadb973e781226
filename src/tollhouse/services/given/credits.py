"""What is given to grant money, to give it back, to set a balance right, and to list all that."""

from typing import Annotated

from msgspec import Struct

from tollhouse.core.fields import AccountReference, Help
from tollhouse.services.given.paging import Paging


class NewGrant(Struct, frozen=True, kw_only=True):
    account: Annotated[str, Help("")]  # id or unique name
    amount_usd: Annotated[str, Help("US dollars, such as 25 or 0.50", option="usd")]
    reason: Annotated[str | None, Help("why; kept with the change in the audit")] = None
    expires: Annotated[str | None, Help("30d, a date, or a time; absent: never")] = None


class NewRefund(Struct, frozen=True, kw_only=True):
    request_id: Annotated[str, Help("")]
    amount_usd: str | None = None  # absent: all the call was charged
    reason: Annotated[str | None, Help("why; kept with the change in the audit")] = None


class NewAdjustment(Struct, frozen=True, kw_only=True):
    account: Annotated[str, Help("")]  # id or unique name
    amount_usd: Annotated[str, Help("US dollars; with a minus before it, so much less", option="usd")]
    reason: Annotated[str, Help("why; kept in the ledger for ever")]


class CreditQuery(Paging, frozen=True):
    account: AccountReference = None

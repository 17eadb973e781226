"""What is given to grant money, to give it back, to set a balance right, and to list all that."""

from typing import Annotated

from msgspec import Struct

from tollhouse.billing.ledger import CreditFields
from tollhouse.core.fields import AccountReference, Expires, Help
from tollhouse.services.given.paging import Paging


class NewGrantFields(CreditFields, frozen=True):
    account: Annotated[str, Help("")]  # id or unique name
    amount_usd: Annotated[str, Help("US dollars, such as 25 or 0.50", option="usd")]


class NewGrant(NewGrantFields, frozen=True):
    expires: Expires = None


class NewRefund(CreditFields, frozen=True):
    request_id: Annotated[str, Help("")]
    amount_usd: str | None = None  # absent: all the call was charged


class NewAdjustment(CreditFields, frozen=True, kw_only=True):
    account: Annotated[str, Help("")]  # id or unique name
    amount_usd: Annotated[str, Help("US dollars; with a minus before it, so much less", option="usd")]
    reason: Annotated[str, Help("why; kept in the ledger for ever")]


class CreditQuery(Paging, frozen=True):
    account: AccountReference = None


class GrantQuery(Struct, frozen=True, kw_only=True):
    account: AccountReference = None

"""A redeem code: money on a slip of text, good once."""

from typing import Annotated

from tollhouse.core.fields import Fields, Help


class CodeFields(Fields, frozen=True, kw_only=True):
    note: Annotated[str, Help("what they are for")] = ""


class Code(CodeFields, frozen=True):
    """`amount` nano-USD. Of the text only its SHA-256 is stored, and its last four characters may be shown."""

    id: str  # code_...
    digest: bytes
    last4: str
    amount: int
    created_at_ms: int
    expires_at_ms: int | None = None
    redeemed_at_ms: int | None = None
    redeemed_by: str | None = None  # the account

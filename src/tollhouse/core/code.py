"""A redeem code: money on a slip of text, good once."""

from msgspec import Struct


class Code(Struct, frozen=True, kw_only=True):
    """`amount` nano-USD. Of the text only its SHA-256 is stored, and its last four characters may be shown."""

    id: str  # code_...
    digest: bytes
    last4: str
    amount: int
    note: str = ""
    created_at_ms: int
    expires_at_ms: int | None = None
    redeemed_at_ms: int | None = None
    redeemed_by: str | None = None  # the account

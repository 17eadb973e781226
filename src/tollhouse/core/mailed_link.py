"""A link that is mailed to an address, and lets whoever reads that mail do one thing, once."""

from typing import Literal

from msgspec import Struct

from tollhouse.core.person import AccountRole, PlatformRole

LinkKind = Literal["invitation", "account", "reset", "address", "leak"]
"""invitation: to become a member, or one who runs the platform. account: to open an account. reset: to set a new
password. address: to sign in by this address from now on. leak: to let a key go on that was frozen
because somebody found its secret."""


class MailedLink(Struct, frozen=True, kw_only=True):
    """Of its tokens the SHA-256 is kept, in rows of their own: each mail and each page that shows it has another."""

    id: str  # lnk_...
    kind: LinkKind
    email: str  # whom it was sent to, in lower case
    person_id: str | None = None  # of `reset` and `address`
    account_id: str | None = None  # of an invitation; None: to run the platform
    role: AccountRole | PlatformRole | None = None  # of an invitation
    made_by: str = ""  # the actor's id
    created_at_ms: int
    expires_at_ms: int

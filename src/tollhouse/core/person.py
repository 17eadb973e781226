"""Who signs in: a member of an account, or one who runs the platform."""

from typing import Literal

from msgspec import Struct

AccountRole = Literal["owner", "admin", "developer", "viewer"]
PlatformRole = Literal["operator", "finance", "support", "viewer"]


class Person(Struct, frozen=True, kw_only=True):
    """`role` is of the account, or of the platform where there is none."""

    id: str  # per_...
    email: str  # in lower case
    role: AccountRole | PlatformRole
    account_id: str | None = None  # None: of the platform
    password_hash: str  # argon2id, with its own parameters and salt
    state: Literal["active", "disabled"] = "active"
    created_at_ms: int

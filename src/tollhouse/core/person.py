"""Who signs in: a member of an account, or one who runs the platform."""

from typing import Literal

from msgspec import Struct

AccountRole = Literal["owner", "admin", "developer", "viewer"]
PlatformRole = Literal["operator", "finance", "support", "viewer"]
Theme = Literal["system", "light", "dark"]


class Person(Struct, frozen=True, kw_only=True):
    """`role` is of the account, or of the platform where there is none."""

    id: str  # per_...
    email: str  # in lower case
    role: AccountRole | PlatformRole
    account_id: str | None = None  # None: of the platform
    password_hash: str  # argon2id, with its own parameters and salt
    state: Literal["active", "disabled"] = "active"
    created_at_ms: int
    language: str | None = None  # of pages, as `zh-CN`; None: as the browser asks
    theme: Theme = "system"
    factor: Literal["optional", "required"] = "optional"  # whether they need a second factor
    totp: str | None = None  # the secret of the second factor, as `access.vault` keeps it; None: there is none
    totp_step: int = 0  # of the code that was taken last; no code of this step or an earlier one is taken again
    recovery: tuple[str, ...] = ()  # SHA-256 of the recovery codes that are left, as hexadecimal digits
    networks: tuple[str, ...] = ()  # from which they signed in, the last one last
    signed_in_at_ms: int | None = None  # last
    signed_in_from: str | None = None  # address
    signed_in_with: str | None = None  # browser

"""Who calls: account > project > API key. Records as they stand in memory and in rows; times in Unix milliseconds."""

from typing import Literal

from msgspec import Struct

KeyMode = Literal["live", "test", "admin"]
KeyState = Literal["active", "frozen", "revoked"]
Scope = Literal["inference", "usage"]


class Account(Struct, frozen=True, kw_only=True):
    id: str  # acc_...
    name: str
    email: str | None = None
    plan: str = "default"
    state: Literal["active", "suspended"] = "active"
    state_reason: str | None = None
    credit_limit: int | None = 0  # nano-USD; None: unlimited (postpaid)
    zone: str = "UTC"
    price_list: str = "default"  # by which it buys; what is not in it is bought by the default one
    multiplier_ppm: int = 1_000_000  # what it pays of that list's prices, in millionths
    groups: tuple[str, ...] = ()  # of models that are open to it besides those of its plan
    created_at_ms: int


class Project(Struct, frozen=True, kw_only=True):
    id: str  # proj_...
    account_id: str
    name: str
    state: Literal["active", "archived"] = "active"
    created_at_ms: int


class Secret(Struct, frozen=True, kw_only=True):
    """One secret of a key, at rest: never the text, only its SHA-256 and what may be shown.

    While `overlap_ms` is set, the clock has not started: the old secret stays valid for that long from the first use of
    the newer one, which then sets `valid_until_ms`.
    """

    digest: bytes  # SHA-256 of the whole text
    prefix: str  # `sk-th-live-`, or the first characters of an imported key
    last4: str
    created_at_ms: int
    valid_until_ms: int | None = None  # None: as long as the key
    overlap_ms: int | None = None  # set while the overlap waits for the newer secret's first use


class ApiKey(Struct, frozen=True, kw_only=True):
    id: str  # key_...
    account_id: str
    project_id: str
    name: str
    mode: KeyMode = "live"
    scopes: tuple[Scope, ...] = ("inference", "usage")
    models: tuple[str, ...] = ()  # exact ids or `prefix*`; empty: every model of the account
    networks: tuple[str, ...] = ()  # CIDR; empty: every address
    tags: dict[str, str] = {}
    state: KeyState = "active"
    state_reason: str | None = None
    expires_at_ms: int | None = None
    created_at_ms: int
    rotated_at_ms: int | None = None
    last_used_at_ms: int | None = None
    last_used_client: str | None = None
    secrets: tuple[Secret, ...] = ()  # newest first; at most two are alive


class Identity(Struct, frozen=True, kw_only=True):
    """Who a presented secret belongs to, found in memory in one look-up."""

    key: ApiKey
    secret: Secret
    account: Account
    project: Project

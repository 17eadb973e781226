"""Who calls: account > project > API key. Records as they stand in memory and in rows; times in Unix milliseconds."""

from typing import Annotated, Literal

from msgspec import Struct, field

from tollhouse.core.fields import Fields, Help

KeyMode = Literal["live", "test", "admin"]
KeyState = Literal["active", "frozen", "revoked"]
Scope = Literal["inference", "usage"]


class AccountFields(Fields, frozen=True, kw_only=True):
    name: Annotated[str, Help("")]
    email: Annotated[str | None, Help("where its owner is reached")] = None
    plan: Annotated[str, Help("a plan of platform.toml; default: `default`")] = "default"
    zone: Annotated[
        str, Help("in which its budgets begin anew that name none, such as Europe/Berlin; default: UTC")
    ] = "UTC"


class Account(AccountFields, frozen=True):
    id: str  # acc_...
    created_at_ms: int
    state: Literal["active", "suspended"] = "active"
    state_reason: str | None = None
    credit_limit: int | None = 0  # nano-USD; None: unlimited (postpaid)
    price_list: str = "default"  # by which it buys; what is not in it is bought by the default one
    multiplier_ppm: int = 1_000_000  # what it pays of that list's prices, in millionths
    groups: tuple[str, ...] = ()  # of models that are open to it besides those of its plan


class ProjectFields(Fields, frozen=True, kw_only=True):
    name: Annotated[str, Help("")]


class Project(ProjectFields, frozen=True):
    id: str  # proj_...
    account_id: str
    created_at_ms: int
    state: Literal["active", "archived"] = "active"


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


class KeyFields(Fields, frozen=True, kw_only=True):
    name: Annotated[str, Help("")]
    mode: Annotated[KeyMode, Help("test: simulated and free; admin: control API")] = "live"
    models: Annotated[tuple[str, ...], Help("an allowed model, or prefix*; default all", option="model")] = ()
    networks: Annotated[tuple[str, ...], Help("an allowed network (CIDR); default all", option="network")] = ()
    tags: dict[str, str] = field(default_factory=dict)


class ApiKey(KeyFields, frozen=True):
    id: str  # key_...
    account_id: str
    project_id: str
    created_at_ms: int
    scopes: tuple[Scope, ...] = ("inference", "usage")
    state: KeyState = "active"
    state_reason: str | None = None
    expires_at_ms: int | None = None
    rotated_at_ms: int | None = None
    last_used_at_ms: int | None = None
    last_used_client: str | None = None
    made_by: str | None = None  # the person; None: a command or an admin key made it
    secrets: tuple[Secret, ...] = ()  # newest first; at most two are alive


class Identity(Struct, frozen=True, kw_only=True):
    """Who a presented secret belongs to, found in memory in one look-up."""

    key: ApiKey
    secret: Secret
    account: Account
    project: Project

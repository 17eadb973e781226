"""Who changed what, from where: one row a change, from the first day, never edited."""

from msgspec import Struct


class Actor(Struct, frozen=True, kw_only=True):
    """Who asks for a change. `kind` says how he is known; `account_id` bounds what he may touch (None: everything)."""

    kind: str  # operator (control socket), admin_key, system, person
    id: str
    account_id: str | None = None
    address: str | None = None


class AuditRow(Struct, frozen=True, kw_only=True):
    id: str  # aud_...
    time_ms: int
    actor_kind: str
    actor_id: str
    address: str | None = None
    account_id: str | None = None
    action: str  # key.create, key.rotate, account.suspend, platform.apply, ...
    object_id: str
    before: dict[str, object] = {}  # only what changed; never a secret
    after: dict[str, object] = {}

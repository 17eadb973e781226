"""/api/v1/keys"""

from typing import Literal

from msgspec import Struct, structs

from tollhouse.core.account import ApiKey, KeyFields, Secret
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import duration_ms
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import ACCOUNT, OWN, PUBLIC, AdminRequest, NoParameters, route
from tollhouse.services import key_use, keys, leaks
from tollhouse.services.given.keys import KeyQuery, NewKey, Rotation
from tollhouse.services.given.paging import Reason


class SecretObject(Struct, frozen=True, kw_only=True):
    """What may be known of a secret. `overlap_seconds`: it lives that much longer once its successor is first used."""

    prefix: str
    last4: str
    created_at: str | None
    valid_until: str | None
    overlap_seconds: int | None


class KeyObject(KeyFields, frozen=True, tag_field="object", tag="key"):
    id: str
    account_id: str
    project_id: str
    scopes: tuple[str, ...]
    state: Literal["active", "frozen", "revoked"]
    state_reason: str | None
    prefix: str
    last4: str
    expires_at: str | None
    created_at: str | None
    rotated_at: str | None
    last_used_at: str | None
    last_used_client: str | None
    made_by: str | None  # the person; null: a command or an admin key made it
    secrets: tuple[SecretObject, ...]


class NewKeyObject(KeyObject, frozen=True, tag_field="object", tag="key"):
    """A key with the secret that was just made for it: shown this once."""

    secret: str
    message: str


class ClientUseObject(Struct, frozen=True, kw_only=True):
    """`old_secret`: the last characters of the secret that it brings, where that was replaced; null: it brings the
    newest. `request_id`: its newest call."""

    client: str
    old_secret: str | None
    calls: int
    last: str | None
    request_id: str


class KeyUseObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="key_use"):
    """`calls`, `failed` and `charge_usd` are of the last 24 hours; `clients` reach back to `since`, which is later
    where the account calls much."""

    id: str
    calls: int
    failed: int
    charge_usd: str
    clients: tuple[ClientUseObject, ...]
    since: str | None


class LeakReportObject(Struct, frozen=True, kw_only=True):
    """How many came; nothing of what they are."""

    received: int


@route("keys.list", "GET /api/v1/keys", ACCOUNT, "Keys, newest first; never a secret")
async def list_all(context: AdminContext, request: AdminRequest[KeyQuery]) -> PageObject[KeyObject]:
    return page_object(await keys.list_page(context.services, request.actor, **request.given), key_object)


@route("keys.create", "POST /api/v1/keys", ACCOUNT, "Make a key", status=201)
async def create(context: AdminContext, request: AdminRequest[NewKey]) -> NewKeyObject:
    return new_key_object(await keys.create(context.services, request.actor, **request.given))


@route("keys.show", "GET /api/v1/keys/{id}", OWN, "One key; an API key sees itself")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> KeyObject:
    """An API key sees itself; any other is, word for word, one that was never made."""
    return key_object(await keys.show(context.services, request.actor, request.id))


@route("keys.use", "GET /api/v1/keys/{id}/use", ACCOUNT, "Who uses a key: the last 24 hours, by client and secret")
async def use(context: AdminContext, request: AdminRequest[NoParameters]) -> KeyUseObject:
    found = await key_use.recent(context.services, request.actor, request.id)
    return fill(
        KeyUseObject,
        found,
        id=found.key.id,
        clients=tuple(fill(ClientUseObject, one, old_secret=one.old_secret or None) for one in found.clients),
    )


@route("keys.rotate", "POST /api/v1/keys/{id}/rotate", ACCOUNT, "A new secret, same key")
async def rotate(context: AdminContext, request: AdminRequest[Rotation]) -> NewKeyObject:
    given = request.given
    overlap_ms = duration_ms(given.pop("overlap"), "overlap")
    made = await keys.rotate(context.services, request.actor, request.id, overlap_ms=overlap_ms, **given)
    return new_key_object(made)


@route("keys.revoke", "POST /api/v1/keys/{id}/revoke", ACCOUNT, "End a key for good")
async def revoke(context: AdminContext, request: AdminRequest[Reason]) -> KeyObject:
    return key_object(await keys.revoke(context.services, request.actor, request.id, request.body.reason))


@route("keys.freeze", "POST /api/v1/keys/{id}/freeze", ACCOUNT, "Stop a key for a while")
async def freeze(context: AdminContext, request: AdminRequest[Reason]) -> KeyObject:
    return key_object(await keys.freeze(context.services, request.actor, request.id, request.body.reason))


@route("keys.unfreeze", "POST /api/v1/keys/{id}/unfreeze", ACCOUNT, "Let a key go on")
async def unfreeze(context: AdminContext, request: AdminRequest[Reason]) -> KeyObject:
    return key_object(await keys.unfreeze(context.services, request.actor, request.id, request.body.reason))


@route(
    "keys.report_leak",
    "POST /api/v1/keys/report-leak",
    PUBLIC,
    "Freeze keys whose whole secrets were found: an array of {token, type, url, source}",
    takes_file=True,
    bytes_max=leaks.BYTES_MAX,
)
async def report_leak(context: AdminContext, request: AdminRequest[NoParameters]) -> LeakReportObject:
    """The answer is the same whatever the secrets are."""
    found = leaks.read(request.file)
    return LeakReportObject(received=await leaks.report(context.services, found, request.actor.address))


def key_object(key: ApiKey) -> KeyObject:
    newest = key.secrets[0] if key.secrets else None
    return fill(
        KeyObject,
        key,
        prefix=newest.prefix if newest else "",
        last4=newest.last4 if newest else "",
        secrets=tuple(_secret_object(secret) for secret in key.secrets),
    )


def new_key_object(made: keys.NewSecret) -> NewKeyObject:
    return NewKeyObject(**structs.asdict(key_object(made.key)), secret=made.secret, message=made.message)


def _secret_object(secret: Secret) -> SecretObject:
    overlap_seconds = None if secret.overlap_ms is None else secret.overlap_ms // 1000
    return fill(SecretObject, secret, overlap_seconds=overlap_seconds)

"""/api/v1/keys"""

from typing import Literal

from msgspec import Struct, field

from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.moments import duration_ms, moment_ms
from tollhouse.edge.admin.objects import KeyObject, NewKeyObject, PageObject, key_object, new_key_object, page_object
from tollhouse.edge.admin.route import ACCOUNT, OWN, AdminRequest, NoParameters, Paging, Reason, route
from tollhouse.services import keys


class NewKey(Struct, frozen=True, kw_only=True):
    name: str
    account: str | None = None  # id or unique name; absent: the caller's own, or the only one there is
    project: str | None = None  # absent: the account's `default`
    mode: Literal["live", "test", "admin"] = "live"
    scopes: tuple[str, ...] = ("inference", "usage")
    models: tuple[str, ...] = ()  # exact ids or `prefix*`; empty: all
    networks: tuple[str, ...] = ()  # CIDR; empty: all
    tags: dict[str, str] = {}
    expires: str | None = None  # `30d`, a date, or a time with its offset


class KeyQuery(Paging, frozen=True, kw_only=True):
    account: str | None = None
    project: str | None = None


class Rotation(Struct, frozen=True, kw_only=True):
    overlap: str = "0s"  # how long the old secret stays valid: `24h`, up to `7d`
    counted_from: Literal["now", "first-use"] = field(default="now", name="from")
    expires: str | None = None  # a new expiry; needed when the old one is past


@route("keys.list", "GET /api/v1/keys", ACCOUNT, "Keys, newest first; never a secret")
async def list_all(context: AdminContext, request: AdminRequest[KeyQuery]) -> PageObject[KeyObject]:
    body = request.body
    found = await keys.list_page(
        context.services,
        request.actor,
        account=body.account,
        project=body.project,
        after=body.after,
        count=body.limit,
    )
    return page_object(found, key_object)


@route("keys.create", "POST /api/v1/keys", ACCOUNT, "Make a key", status=201)
async def create(context: AdminContext, request: AdminRequest[NewKey]) -> NewKeyObject:
    body = request.body
    made = await keys.create(
        context.services,
        request.actor,
        name=body.name,
        account=body.account,
        project=body.project,
        mode=body.mode,
        scopes=body.scopes,
        models=body.models,
        networks=body.networks,
        tags=body.tags,
        expires_at_ms=_expiry(body.expires, request.now_ms),
    )
    return new_key_object(made.key, made.secret, made.message)


@route("keys.show", "GET /api/v1/keys/{id}", OWN, "One key; an API key sees itself")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> KeyObject:
    """An API key sees itself; any other is, word for word, one that was never made."""
    return key_object(await keys.show(context.services, request.actor, request.id))


@route("keys.rotate", "POST /api/v1/keys/{id}/rotate", ACCOUNT, "A new secret, same key")
async def rotate(context: AdminContext, request: AdminRequest[Rotation]) -> NewKeyObject:
    made = await keys.rotate(
        context.services,
        request.actor,
        request.id,
        overlap_ms=duration_ms(request.body.overlap, "overlap"),
        counted_from=request.body.counted_from,
        expires_at_ms=_expiry(request.body.expires, request.now_ms),
    )
    return new_key_object(made.key, made.secret, made.message)


@route("keys.revoke", "POST /api/v1/keys/{id}/revoke", ACCOUNT, "End a key for good")
async def revoke(context: AdminContext, request: AdminRequest[Reason]) -> KeyObject:
    return key_object(await keys.revoke(context.services, request.actor, request.id, request.body.reason))


@route("keys.freeze", "POST /api/v1/keys/{id}/freeze", ACCOUNT, "Stop a key for a while")
async def freeze(context: AdminContext, request: AdminRequest[Reason]) -> KeyObject:
    return key_object(await keys.freeze(context.services, request.actor, request.id, request.body.reason))


@route("keys.unfreeze", "POST /api/v1/keys/{id}/unfreeze", ACCOUNT, "Let a key go on")
async def unfreeze(context: AdminContext, request: AdminRequest[Reason]) -> KeyObject:
    return key_object(await keys.unfreeze(context.services, request.actor, request.id, request.body.reason))


def _expiry(text: str | None, now_ms: int) -> int | None:
    return None if text is None else moment_ms(text, "expires", now_ms)

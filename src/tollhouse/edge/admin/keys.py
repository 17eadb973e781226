"""/api/v1/keys"""

from typing import Literal

from msgspec import Struct, field

from tollhouse.edge.admin.desk import Desk
from tollhouse.edge.admin.moments import duration_ms, moment_ms
from tollhouse.edge.admin.objects import KeyObject, NewKeyObject, Page, key_object, new_key_object, page_object
from tollhouse.edge.admin.route import ACCOUNT, OWN, Asked, Nothing, Paging, Reason, Route
from tollhouse.office import keys


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


class KeysAsked(Paging, frozen=True, kw_only=True):
    account: str | None = None
    project: str | None = None


class Rotation(Struct, frozen=True, kw_only=True):
    overlap: str = "0s"  # how long the old secret stays valid: `24h`, up to `7d`
    counted_from: Literal["now", "first-use"] = field(default="now", name="from")
    expires: str | None = None  # a new expiry; needed when the old one is past


async def create(desk: Desk, asked: Asked[NewKey]) -> NewKeyObject:
    given = asked.given
    made = await keys.create(
        desk.office,
        asked.actor,
        name=given.name,
        account=given.account,
        project=given.project,
        mode=given.mode,
        scopes=given.scopes,
        models=given.models,
        networks=given.networks,
        tags=given.tags,
        expires_at_ms=_expiry(given.expires, asked.now_ms),
    )
    return new_key_object(made.key, made.secret, made.message)


async def every(desk: Desk, asked: Asked[KeysAsked]) -> Page[KeyObject]:
    given = asked.given
    found = await keys.list_page(
        desk.office,
        asked.actor,
        account=given.account,
        project=given.project,
        after=given.after,
        count=given.limit,
    )
    return page_object(found, key_object)


async def show(desk: Desk, asked: Asked[Nothing]) -> KeyObject:
    """An API key sees itself; any other is, word for word, one that was never made."""
    return key_object(await keys.show(desk.office, asked.actor, asked.id))


async def rotate(desk: Desk, asked: Asked[Rotation]) -> NewKeyObject:
    made = await keys.rotate(
        desk.office,
        asked.actor,
        asked.id,
        overlap_ms=duration_ms(asked.given.overlap, "overlap"),
        counted_from=asked.given.counted_from,
        expires_at_ms=_expiry(asked.given.expires, asked.now_ms),
    )
    return new_key_object(made.key, made.secret, made.message)


async def revoke(desk: Desk, asked: Asked[Reason]) -> KeyObject:
    return key_object(await keys.revoke(desk.office, asked.actor, asked.id, asked.given.reason))


async def freeze(desk: Desk, asked: Asked[Reason]) -> KeyObject:
    return key_object(await keys.freeze(desk.office, asked.actor, asked.id, asked.given.reason))


async def unfreeze(desk: Desk, asked: Asked[Reason]) -> KeyObject:
    return key_object(await keys.unfreeze(desk.office, asked.actor, asked.id, asked.given.reason))


def _expiry(text: str | None, now_ms: int) -> int | None:
    return None if text is None else moment_ms(text, "expires", now_ms)


_PATH = "/api/v1/keys"
_ONE = _PATH + "/{id}"
ROUTES = (
    Route("keys.list", "GET", _PATH, every, ACCOUNT, "Keys, newest first; never a secret", Page[KeyObject], KeysAsked),
    Route("keys.create", "POST", _PATH, create, ACCOUNT, "Make a key", NewKeyObject, NewKey, status=201),
    Route("keys.show", "GET", _ONE, show, OWN, "One key; an API key sees itself", KeyObject),
    Route("keys.rotate", "POST", _ONE + "/rotate", rotate, ACCOUNT, "A new secret, same key", NewKeyObject, Rotation),
    Route("keys.revoke", "POST", _ONE + "/revoke", revoke, ACCOUNT, "End a key for good", KeyObject, Reason),
    Route("keys.freeze", "POST", _ONE + "/freeze", freeze, ACCOUNT, "Stop a key for a while", KeyObject, Reason),
    Route("keys.unfreeze", "POST", _ONE + "/unfreeze", unfreeze, ACCOUNT, "Let a key go on", KeyObject, Reason),
)

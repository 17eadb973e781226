"""Keys that somebody found where they should not be: each is frozen at once, and its owners are told.

Whoever holds a whole secret may have its key frozen: that is the point, for they could call with it too. The answer is
the same whatever was sent, and does not wait for what comes of it, so that it tells nothing about keys.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
from msgspec import Struct, structs

from tollhouse.access import secrets
from tollhouse.access.exposed import without_keys
from tollhouse.core.account import ApiKey, Identity
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Conflict, Overloaded, PathNotFound
from tollhouse.core.instant import rfc3339
from tollhouse.core.mailed_link import MailedLink
from tollhouse.core.notice import Notice, NoticeType
from tollhouse.core.phrase import Phrase
from tollhouse.core.roll_up import DAY_MS
from tollhouse.limits.addresses import network_of
from tollhouse.services import audit, mailed_links, rotation, usage
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.keys import FOUND_MAX
from tollhouse.store.tables import SqlRepositories

BYTES_MAX: Final = 256 * 1024
URL_MAX: Final = 200
_TOKEN_MAX: Final = 300
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?(?::[0-9]{1,5})?", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_WORD: Final = re.compile(r"[^0-9A-Za-z _.-]", re.ASCII)
_SOURCE_MAX: Final = 40
_ACTOR: Final = audit.LEAK_REPORT
_LINK: Final = "link of a mail"


class FoundKey(Struct, frozen=True):
    """As secret scanners report it: the partner format of GitHub. Other members are left unread."""

    token: str
    type: str | None = None
    url: str | None = None
    source: str | None = None


def read(data: bytes) -> list[FoundKey]:
    """A JSON array. Raises BadRequest, whose words repeat nothing of it."""
    if len(data) > BYTES_MAX or data.count(b"{") > FOUND_MAX:
        raise BadRequest(
            Phrase("send at most %(most)s found keys at once, and %(bytes)s bytes", most=FOUND_MAX, bytes=BYTES_MAX)
        )
    try:
        return msgspec.json.decode(data, type=list[FoundKey])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadRequest('send a JSON array of objects with the text "token", and "type", "url", "source"') from None


async def report(services: ServiceContext, found: Sequence[FoundKey], address: str | None) -> int:
    """Freeze the keys of these secrets; the answer is how many came. Raises RateLimited, by the sender's address."""
    if address is not None:
        services.reporting.admit(address, services.clock.now_ms())
    met: dict[str, tuple[Identity, FoundKey]] = {}
    for one in found:
        identity = services.directory.find(secrets.digest(one.token[:_TOKEN_MAX]))
        if identity is not None:
            met.setdefault(identity.secret.digest.hex(), (identity, one))
    task = asyncio.create_task(_act(services, tuple(met.values()), address))
    services.tasks.add(task)
    task.add_done_callback(services.tasks.discard)
    return len(found)


async def look_up(services: ServiceContext, token: str) -> tuple[MailedLink, ApiKey]:
    """What a mailed link lets go on; changes nothing. Raises PathNotFound."""
    link = await mailed_links.look_up(services, "leak", token)
    return link, _frozen_by(services, link)


async def resume(services: ServiceContext, token: str, address: str) -> ApiKey:
    """Let the key go on as it was, once. Raises PathNotFound, Conflict where it was changed meanwhile."""
    link, found = await look_up(services, token)
    actor = Actor(kind="system", id=_LINK, address=address)
    row = audit.entry(services, actor, "key.unfreeze", found.id, account_id=found.account_id)

    def transaction(tables: SqlRepositories) -> ApiKey:
        mailed_links.find(services, tables, "leak", token)
        before = tables.keys.get(found.id)
        if before is None or before.state != "frozen" or before.state_reason != _reason(link.id):
            raise Conflict(Phrase("%(key)s was changed meanwhile", key=found.id))
        tables.mailed_links.remove(link.id)
        key = structs.replace(before, state="active", state_reason=None)
        tables.keys.save(key)
        tables.audit.add(audit.changed(row, before, key))
        return key

    return await services.rows.change(transaction, services.directory.put_key)


def place_of(url: str | None) -> str:
    """Where a key was found, as a mail may show it: host and path, without scheme, user, query and fragment, so that no
    mail program makes a link of it by itself. Empty where that cannot be told."""
    text = (url or "").strip()[:2_000]
    if _CONTROL.search(text) is not None:
        return ""
    try:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https"):
            return ""
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    if _HOST.fullmatch(host) is None:
        return ""
    return without_keys(host + quote(parts.path, safe="/~._-%+@"))[:URL_MAX]


async def _act(services: ServiceContext, met: Iterable[tuple[Identity, FoundKey]], address: str | None) -> None:
    for identity, found in met:
        # Nobody waits for it. What cannot be written now is not: the scanner, or the next one, reports it again.
        with suppress(Overloaded):
            await _freeze(services, identity, found, address)


async def _freeze(services: ServiceContext, identity: Identity, found: FoundKey, address: str | None) -> None:
    key, secret = identity.key, identity.secret
    if _stopped(key, secret.digest, services.clock.now_ms(), "") is None:
        return  # found again: it costs no look at the database
    told = await _told(services, identity, found)
    actor = Actor(kind="system", id=_ACTOR, address=address)
    noted = {"last4": secret.last4, "found_at": told["found_at"], "source": told["source"]}
    row = audit.entry(services, actor, "key.leak", key.id, account_id=key.account_id, after=noted)
    created_at_ms, expires_at_ms = mailed_links.lasting(services, "leak")
    link_id = services.new_id("lnk")

    def transaction(tables: SqlRepositories) -> ApiKey | None:
        before = tables.keys.get(key.id)
        after = None if before is None else _stopped(before, secret.digest, created_at_ms, link_id)
        if before is None or after is None:
            return None
        tables.keys.save(after)
        tables.audit.add(audit.changed(row, before, after))
        kind: NoticeType = "key.old_secret_leaked" if after.state == "active" else "key.leaked"
        owners = tables.outbox.owners(key.account_id)
        if kind == "key.leaked" and owners:
            tables.mailed_links.forget_before(created_at_ms)
            tables.mailed_links.add(
                MailedLink(
                    id=link_id,
                    kind="leak",
                    email=owners[0].lower(),
                    account_id=key.account_id,
                    made_by=_ACTOR,
                    created_at_ms=created_at_ms,
                    expires_at_ms=expires_at_ms,
                )
            )
        tables.outbox.add(
            Notice(
                id=services.new_id("msg"),
                type=kind,
                object_id=link_id,
                episode=created_at_ms,
                mark=0,
                account_id=key.account_id,
                time_ms=created_at_ms,
                data=told,
            )
        )
        return after

    def follow(after: ApiKey | None) -> None:
        if after is not None:
            services.directory.put_key(after)
            services.news.set()

    await services.rows.change(transaction, follow)


def _stopped(key: ApiKey, digest: bytes, now_ms: int, link_id: str) -> ApiKey | None:
    """The key without the use of a secret; None: that could not be used anyhow. A secret that was replaced already
    ends, and the key goes on by its newest; else the key is frozen."""
    place = next((number for number, one in enumerate(key.secrets) if one.digest == digest), None)
    if place is None or key.state != "active" or (key.expires_at_ms is not None and key.expires_at_ms <= now_ms):
        return None
    old = key.secrets[place]
    if old.valid_until_ms is not None and old.valid_until_ms <= now_ms:
        return None
    if place == 0:
        return structs.replace(key, state="frozen", state_reason=_reason(link_id))
    ended = structs.replace(old, valid_until_ms=now_ms, overlap_ms=None)
    return structs.replace(key, secrets=(*key.secrets[:place], ended, *key.secrets[place + 1 :]))


async def _told(services: ServiceContext, identity: Identity, found: FoundKey) -> dict[str, str | int | None]:
    """What the owners are told: where it was found, who used the key last, and what it cost."""
    key, directory, now_ms = identity.key, services.directory, services.clock.now_ms()
    used_ms, client = directory.last_uses.get(key.id, (key.last_used_at_ms or 0, key.last_used_client or ""))
    actor = Actor(kind="system", id=_ACTOR, account_id=key.account_id)
    costs = {}
    tomorrow_ms = now_ms - now_ms % DAY_MS + DAY_MS
    for name, from_ms, to_ms in (
        ("day", now_ms - DAY_MS, now_ms + 1),
        ("month", tomorrow_ms - 30 * DAY_MS, tomorrow_ms),  # whole days: few rows tell them
    ):
        sums = await usage.report(services, actor, by="key", from_ms=from_ms, to_ms=to_ms, key=key.id)
        costs[name] = format_usd(sum(one.charge for one in sums))
    return {
        "account": key.account_id,
        "project": key.project_id,
        "key": key.id,
        "last4": identity.secret.last4,
        "found_at": place_of(found.url) or None,
        "source": _WORD.sub("", found.source or "")[:_SOURCE_MAX] or None,
        "last_used_at": rfc3339(used_ms) if used_ms else None,
        "client": client or None,
        "network": network_of(directory.last_addresses.get(key.id, "")),
        "cost_day_usd": costs["day"],
        "cost_month_usd": costs["month"],
    }


def _reason(link_id: str) -> str:
    return f"{rotation.LEAKED} ({link_id})"


def _frozen_by(services: ServiceContext, link: MailedLink) -> ApiKey:
    """Raises PathNotFound, as for a link that was used."""
    wanted = _reason(link.id)
    for key in services.directory.keys_of(link.account_id or ""):
        if key.state == "frozen" and key.state_reason == wanted:
            return key
    raise PathNotFound("this link was used already, or is too old, or was never sent: ask for another one")

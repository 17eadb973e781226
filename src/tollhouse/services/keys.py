"""API keys: created and rotated with a secret that is shown once, frozen and unfrozen, revoked for good."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

from msgspec import Struct, structs

from tollhouse.access import secrets
from tollhouse.core.account import Account, ApiKey, KeyFields, KeyMode, Project, Secret
from tollhouse.core.audit import Actor
from tollhouse.core.failure import Conflict, Overloaded, PathNotFound
from tollhouse.core.instant import rfc3339
from tollhouse.core.phrase import Phrase, translatable
from tollhouse.services import audit, fields, maxima, reach, rotation
from tollhouse.services.accounts import DEFAULT_PROJECT
from tollhouse.services.choices import require_one_of
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.keys import KeyQuery, NewKeyFields
from tollhouse.services.pages import Page, read_page
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

Also = Callable[[SqlRepositories, ApiKey], None]
"""What is to be written in the same transaction, where the key has changed."""
_MODES: tuple[KeyMode, ...] = ("live", "test", "admin")


class NewSecret(Struct, frozen=True):
    """A key and the secret just made for it, which nobody can show again; `message` says what became of the old one."""

    key: ApiKey
    secret: str
    message: str


class KeyToMake(NewKeyFields, frozen=True):
    expires_at_ms: int | None = None


@WithFieldsOf(KeyToMake)
async def create(services: ServiceContext, actor: Actor, given: KeyToMake) -> NewSecret:
    """A new key. Without an account the actor's own is meant, or the only one there is; without a project, `default`.

    Raises BadRequest naming the field, PathNotFound, and Conflict for an archived project.
    """
    require_one_of("mode", given.mode, _MODES)
    owner, group = _owner(services, actor, given.account, given.project)
    maxima.require_room(
        services.directory.keys_in_use(owner.id), maxima.KEYS_MAX, "keys in this account", "revoke those not in use"
    )
    now_ms = services.clock.now_ms()
    text, secret = _mint(services, given.mode)
    key = ApiKey(
        id=services.new_id("key"),
        account_id=owner.id,
        project_id=group.id,
        scopes=fields.scopes(given.scopes),
        expires_at_ms=fields.expiry(given.expires_at_ms, now_ms),
        created_at_ms=now_ms,
        made_by=actor.id if actor.kind == "person" else None,
        secrets=(secret,),
        **fields.kept(
            KeyFields,
            given,
            name=fields.name(given.name),
            models=fields.models(given.models),
            networks=fields.networks(given.networks),
            tags=fields.tags(given.tags),
        ),
    )
    row = audit.entry(services, actor, "key.create", key.id, account_id=owner.id, after={"last4": secret.last4})

    def transaction(tables: SqlRepositories) -> ApiKey:
        now = tables.projects.get(group.id)
        if now is None or now.state != "active":
            raise Conflict(
                Phrase("the project %(project)s is archived: its keys could not be used", project=group.id),
                param="project",
            )
        tables.keys.add(key)
        tables.audit.add(audit.changed(row, None, key))
        return key

    done = await services.rows.change(transaction, services.directory.put_key)
    return NewSecret(done, text, "This secret is shown once: keep it now.")


@WithFieldsOf(KeyQuery)
async def list_page(services: ServiceContext, actor: Actor, given: KeyQuery) -> Page[ApiKey]:
    """Newest first, revoked ones too."""
    account_id = reach.narrowed(services, actor, given.account)
    project_id = None if given.project is None else reach.project(services, actor, given.project, account_id).id
    within = {"account_id": account_id, "project_id": project_id}
    found = await read_page(services, given, lambda tables: tables.keys.page, **within)
    return structs.replace(found, records=tuple(_with_last_use(services, key) for key in found.records))


async def show(services: ServiceContext, actor: Actor, reference: str) -> ApiKey:
    """By id or unique name: state, expiry, last four characters of each secret and until when it is valid. What to ask
    when the answer to a rotation was lost. Raises PathNotFound, BadRequest."""
    return _with_last_use(services, reach.key(services, actor, reference))


async def rotate(
    services: ServiceContext,
    actor: Actor,
    reference: str,
    *,
    overlap_ms: int = 0,
    counted_from: rotation.CountedFrom = "now",
    expires_at_ms: int | None = None,
) -> NewSecret:
    """A new secret for the same key; `rotation` says what becomes of the old ones.

    Asking again makes another secret, also under the same Idempotency-Key: the first answer's secret is stored nowhere
    and cannot be shown twice. The message of each answer says so.
    Raises BadRequest (also for an expired key without a new expiry), PathNotFound, and Conflict for a revoked or a
    frozen key.
    """
    found = reach.key(services, actor, reference)
    rotation.require_overlap(overlap_ms)
    now_ms = services.clock.now_ms()
    new_expiry_ms = fields.expiry(expires_at_ms, now_ms)
    text, secret = _mint(services, found.mode)
    row = audit.entry(services, actor, "key.rotate", found.id, account_id=found.account_id)

    def transaction(tables: SqlRepositories) -> ApiKey:
        before = _row(tables, found.id)
        rotation.require_rotatable(before, new_expiry_ms, now_ms, overlap_ms)
        key = rotation.rotated(
            before,
            secret,
            overlap_ms=overlap_ms,
            counted_from=counted_from,
            now_ms=now_ms,
            new_expiry_ms=new_expiry_ms,
        )
        tables.keys.save(key)
        told = structs.replace(
            row,
            before={"last4": before.secrets[0].last4} if before.secrets else {},
            after={"last4": secret.last4, "overlap_ms": overlap_ms, "overlap_from": counted_from},
        )
        tables.audit.add(audit.changed(told, before, key))
        return key

    key = await services.rows.change(transaction, services.directory.put_key)
    return NewSecret(_with_last_use(services, key), text, _what_became(key, overlap_ms, counted_from))


async def revoke(services: ServiceContext, actor: Actor, reference: str, reason: str | None = None) -> ApiKey:
    """End the key for good, from the next request on. Revoking twice changes nothing."""
    why = fields.reason(reason)

    def turn(key: ApiKey) -> ApiKey:
        return key if key.state == "revoked" else structs.replace(key, state="revoked", state_reason=why)

    return await _change(services, actor, reference, "key.revoke", turn)


async def freeze(
    services: ServiceContext, actor: Actor, reference: str, reason: str | None = None, also: Also | None = None
) -> ApiKey:
    """Stop the key from the next request on, until it is unfrozen. Raises Conflict for a revoked key."""
    why = fields.reason(reason)
    return await _change(
        services, actor, reference, "key.freeze", lambda key: _living(key, state="frozen", state_reason=why), also
    )


async def end_secrets(
    services: ServiceContext, actor: Actor, reference: str, until_ms: int, also: Also | None = None
) -> ApiKey:
    """Let what secrets there are live no longer than until then; the key's owner gives it a new one, which nobody else
    sees. Raises ScopeMissing for anybody but the operator, PathNotFound, Conflict for a revoked key."""
    reach.require_operator(actor, translatable("end the secret of a key"))
    told = {"until": rfc3339(until_ms)}
    return await _change(
        services, actor, reference, "key.end_secret", lambda key: rotation.ended(key, until_ms), also, told
    )


async def unfreeze(services: ServiceContext, actor: Actor, reference: str, reason: str | None = None) -> ApiKey:
    """Let a frozen key go on; nothing happens to an active one. Raises Conflict for a revoked key."""
    why = fields.reason(reason)
    return await _change(
        services, actor, reference, "key.unfreeze", lambda key: _living(key, state="active", state_reason=why)
    )


def watch_first_uses(services: ServiceContext) -> None:
    """From now on, write down when a new secret is first used and the old one's overlap begins."""

    def hear(key: ApiKey) -> None:
        task = asyncio.get_running_loop().create_task(_write_first_use(services, key))
        services.tasks.add(task)
        task.add_done_callback(services.tasks.discard)

    services.directory.on_first_use = hear


async def _write_first_use(services: ServiceContext, used: ApiKey) -> None:
    until_ms = {secret.digest: secret.valid_until_ms for secret in used.secrets}
    actor = Actor(kind="system", id="first use")
    row = audit.entry(services, actor, "key.first_use", used.id, account_id=used.account_id)

    def transaction(tables: SqlRepositories) -> ApiKey:
        before = _row(tables, used.id)
        key = structs.replace(
            before,
            secrets=tuple(
                structs.replace(secret, valid_until_ms=until_ms.get(secret.digest), overlap_ms=None)
                if secret.overlap_ms is not None
                else secret
                for secret in before.secrets
            ),
        )
        if key != before:
            tables.keys.save(key)
            tables.audit.add(structs.replace(row, after={"last4": key.secrets[0].last4}))
        return key

    # Memory has the clock started. If this cannot be written, it starts anew with the first use after a restart.
    with contextlib.suppress(Overloaded):
        await services.rows.change(transaction, services.directory.put_key)


async def _change(
    services: ServiceContext,
    actor: Actor,
    reference: str,
    action: str,
    turn: Callable[[ApiKey], ApiKey],
    also: Also | None = None,
    told: Mapping[str, object] | None = None,
) -> ApiKey:
    found = reach.key(services, actor, reference)
    row = audit.entry(services, actor, action, found.id, account_id=found.account_id, after=told)

    def transaction(tables: SqlRepositories) -> ApiKey:
        before = _row(tables, found.id)
        key = turn(before)
        if key != before:
            tables.keys.save(key)
            tables.audit.add(audit.changed(row, before, key))
            if also is not None:
                also(tables, key)
        return key

    return _with_last_use(services, await services.rows.change(transaction, services.directory.put_key))


def _living(key: ApiKey, *, state: str, state_reason: str | None) -> ApiKey:
    if key.state == "revoked":
        raise Conflict(Phrase("%(key)s was revoked, which is final", key=key.id))
    return structs.replace(key, state=state, state_reason=state_reason)


def _row(tables: SqlRepositories, key_id: str) -> ApiKey:
    key = tables.keys.get(key_id)
    if key is None:
        raise PathNotFound(Phrase("no key %(key)s", key=key_id))
    return key


def _owner(services: ServiceContext, actor: Actor, account: str | None, project: str | None) -> tuple[Account, Project]:
    if account is None and project is not None and project in services.directory.projects:
        group = reach.project(services, actor, project)
        return services.directory.accounts[group.account_id], group
    owner = reach.account_or_own(services, actor, account)
    return owner, reach.project(services, actor, project or DEFAULT_PROJECT, owner.id)


def _mint(services: ServiceContext, mode: KeyMode) -> tuple[str, Secret]:
    text = secrets.mint(mode, services.random.bytes(secrets.RANDOM_BYTES))
    return text, Secret(
        digest=secrets.digest(text),
        prefix=secrets.prefix_of(text),
        last4=secrets.last4(text),
        created_at_ms=services.clock.now_ms(),
    )


def _with_last_use(services: ServiceContext, key: ApiKey) -> ApiKey:
    """Memory knows the last use to the millisecond, rows only to the minute."""
    at_ms, client = services.directory.last_uses.get(key.id, (0, ""))
    if at_ms <= (key.last_used_at_ms or 0):
        return key
    return structs.replace(key, last_used_at_ms=at_ms, last_used_client=client)


def _what_became(key: ApiKey, overlap_ms: int, counted_from: rotation.CountedFrom) -> str:
    message = "A new secret was made, also if this request repeats an earlier one; it is shown once: keep it now."
    if len(key.secrets) < 2:
        return message
    old = key.secrets[1]
    now_ms, until_ms = key.rotated_at_ms or 0, old.valid_until_ms
    if until_ms is not None and until_ms <= now_ms:
        return f"{message} The secret ending in {old.last4} is no longer valid."
    if until_ms is not None and until_ms < now_ms + overlap_ms:
        return f"{message} The secret ending in {old.last4} stays valid until {rfc3339(until_ms)}."
    begins = "the first use of the new one" if counted_from == "first-use" else "now"
    return f"{message} The secret ending in {old.last4} stays valid for {overlap_ms // 1000} s from {begins}."

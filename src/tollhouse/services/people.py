"""People who sign in: members of an account, and those who run the platform."""

from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct, structs

from tollhouse.access.passwords import require_good
from tollhouse.core.account import Account
from tollhouse.core.audit import Actor, AuditRow
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound
from tollhouse.core.person import AccountRole, Person, PlatformRole
from tollhouse.core.phrase import Phrase
from tollhouse.services import audit, fields, reach
from tollhouse.services.choices import no_such, require_one_of
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.people import PeopleQuery, RoleChange
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

_ACCOUNT_ROLES: Final[tuple[AccountRole, ...]] = ("owner", "admin", "developer", "viewer")
_PLATFORM_ROLES: Final[tuple[PlatformRole, ...]] = ("operator", "finance", "support", "viewer")
_FIRST: Final = "owner", "operator"
"""Roles of which somebody has to be left."""


def new_role(text: str, account_id: str | None) -> AccountRole | PlatformRole:
    """Raises BadRequest."""
    roles = _PLATFORM_ROLES if account_id is None else _ACCOUNT_ROLES
    found = next((known for known in roles if known == text), None)
    if found is None:
        raise no_such("role", text, roles)
    return found


async def create(
    services: ServiceContext,
    actor: Actor,
    *,
    email: str,
    password: str,
    role: str,
    account: str | None = None,
    factor: Literal["optional", "required"] = "optional",
) -> Person:
    """Somebody who signs in, at once; without an account, one who runs the platform. factor: whether they have to set
    up a second one.

    Raises BadRequest, Conflict, PathNotFound, ScopeMissing, Overloaded.
    """
    address = fields.email(email)
    require_good(password, address)
    owner = None if account is None else reach.account(services, actor, account)
    if owner is None:
        reach.require_operator(actor, "let people run the platform")
    account_id = None if owner is None else owner.id
    person = Person(
        id=services.new_id("per"),
        email=address.lower(),
        role=new_role(role, account_id),
        account_id=account_id,
        password_hash=await services.hashing.hash(password),
        created_at_ms=services.clock.now_ms(),
        factor=factor,
    )
    row = audit.entry(services, actor, "person.create", person.id, account_id=person.account_id)
    return await services.rows.change(lambda tables: add(tables, row, person))


def add(tables: SqlRepositories, row: AuditRow, person: Person) -> Person:
    """Within a transaction. Raises Conflict where somebody signs in by this address already."""
    if tables.people.by_email(person.email) is not None:
        raise Conflict("somebody signs in with this mail address already", param="email")
    tables.people.add(person)
    tables.audit.add(audit.changed(row, None, person))
    return person


async def recognise(services: ServiceContext, email: str, password: str) -> Person | None:
    """Who signs in with this address and password; None for a wrong one, an unknown and a disabled one, all after the
    same time. Raises Overloaded."""
    person = await services.rows.read(lambda tables: tables.people.by_email(email.strip().lower()[:300]))
    return person if await has_password(services, person, password) else None


async def has_password(services: ServiceContext, person: Person | None, password: str) -> bool:
    """False also for nobody and for a disabled person, after the same time. Raises Overloaded."""
    kept = services.hashing.nobody if person is None else person.password_hash
    right = await services.hashing.is_right(kept, password)
    return right and person is not None and person.state == "active"


@WithFieldsOf(PeopleQuery)
async def list_all(services: ServiceContext, actor: Actor, given: PeopleQuery) -> list[Person]:
    """The members of an account, or those who run the platform; whoever came first is first."""
    account_id = within(services, actor, given.account, given.platform)
    return await services.rows.read(lambda tables: tables.people.of(account_id, PEOPLE_MAX))


PEOPLE_MAX: Final = 500
"""Of an account, and of the platform; with those who are invited."""


def within(services: ServiceContext, actor: Actor, account: str | None, platform: bool) -> str | None:
    """Whose people are meant: an account's, by its id; None: the platform's. Raises BadRequest, ScopeMissing."""
    if platform:
        reach.require_operator(actor, "see who runs the platform")
        if account is not None:
            raise BadRequest("account: name an account, or the platform", param="account")
        return None
    return reach.account_or_own(services, actor, account).id


async def find(services: ServiceContext, actor: Actor, reference: str) -> Person:
    """By id or mail address, within what the actor reaches. Raises PathNotFound."""

    def look(tables: SqlRepositories) -> Person | None:
        return tables.people.get(reference) or tables.people.by_email(reference.strip().lower()[:300])

    found = await services.rows.read(look)
    if found is None or actor.account_id not in (None, found.account_id):
        raise PathNotFound(Phrase("no person %(person)s", person=reach.shown(reference)))
    return found


def account_of(services: ServiceContext, person: Person) -> Account | None:
    return None if person.account_id is None else services.directory.accounts.get(person.account_id)


@WithFieldsOf(RoleChange)
async def change_role(services: ServiceContext, actor: Actor, reference: str, given: RoleChange) -> Person:
    """Their sessions end, and they sign in anew with what they may from now on.

    Raises PathNotFound, BadRequest, Conflict for the last owner (of the platform: operator) there is.
    """
    every = dict.fromkeys((*_ACCOUNT_ROLES, *_PLATFORM_ROLES))
    require_one_of("role", given.role, every)  # before whom it is for
    before = await find(services, actor, reference)
    role = new_role(given.role or "", before.account_id)
    return await _turn(services, actor, before, "person.set", lambda one: structs.replace(one, role=role))


async def disable(services: ServiceContext, actor: Actor, reference: str) -> Person:
    """They cannot sign in, and their sessions end at once. Raises PathNotFound, Conflict as `change_role`."""
    before = await find(services, actor, reference)
    return await _turn(services, actor, before, "person.disable", lambda one: structs.replace(one, state="disabled"))


async def enable(services: ServiceContext, actor: Actor, reference: str) -> Person:
    before = await find(services, actor, reference)
    return await _turn(services, actor, before, "person.enable", lambda one: structs.replace(one, state="active"))


async def sign_out(services: ServiceContext, actor: Actor, reference: str) -> Person:
    """All their sessions end. Raises PathNotFound."""
    before = await find(services, actor, reference)
    return await _turn(services, actor, before, "person.sign_out", lambda one: one)


async def _turn(
    services: ServiceContext, actor: Actor, before: Person, action: str, change: Callable[[Person], Person]
) -> Person:
    person_id = before.id
    row = audit.entry(services, actor, action, person_id, account_id=before.account_id)

    def transaction(tables: SqlRepositories) -> Person:
        return save_changed(tables, row, person_id, change, ends_sessions=True)

    return await services.rows.change(transaction, lambda _: drop_sessions(services, person_id))


def save_changed(
    tables: SqlRepositories,
    row: AuditRow,
    person_id: str,
    change: Callable[[Person], Person],
    *,
    ends_sessions: bool = False,
) -> Person:
    """Within a transaction. Raises PathNotFound, and Conflict where nobody would be left in the first of the roles."""
    before = tables.people.get(person_id)
    if before is None:
        raise PathNotFound(Phrase("no person %(person)s", person=person_id))
    after = change(before)
    _require_one_left(tables, before, after)
    tables.people.save(after)
    if ends_sessions:
        tables.sessions.remove_of(person_id)
    tables.audit.add(audit.changed(structs.replace(row, account_id=after.account_id), before, after))
    return after


def _require_one_left(tables: SqlRepositories, before: Person, after: Person | None) -> None:
    if before.role not in _FIRST or before.state != "active":
        return
    stays = after is not None and after.role == before.role and after.state == "active"
    if not stays and tables.people.count(before.account_id, before.role) <= 1:
        raise Conflict(
            Phrase("this platform has no other %(role)s: make somebody else one first", role=Phrase(before.role))
            if before.account_id is None
            else Phrase("the account has no other %(role)s: make somebody else one first", role=Phrase(before.role)),
            param="role",
        )


def drop_sessions(services: ServiceContext, person_id: str) -> None:
    """On the loop, once it is durable."""
    for session in services.sessions.of_person(person_id):
        services.sessions.drop(session)


class Removed(Struct, frozen=True):
    """Somebody who is not there any more; keys: what they made and what goes on to work, by id."""

    person: Person
    keys: tuple[str, ...]


async def remove(services: ServiceContext, actor: Actor, reference: str) -> Removed:
    """They are forgotten, and their address is free again; what they made stays, and their keys go on to work.

    Raises PathNotFound, Conflict as `change_role`.
    """
    before = await find(services, actor, reference)
    keys = keys_made_by(services, before)
    row = audit.entry(services, actor, "person.remove", before.id, account_id=before.account_id)

    def transaction(tables: SqlRepositories) -> Person:
        person = tables.people.get(before.id)
        if person is None:
            raise PathNotFound(Phrase("no person %(person)s", person=before.id))
        _require_one_left(tables, person, None)
        tables.sessions.remove_of(person.id)
        for link in tables.mailed_links.to(person.email):
            if link.person_id == person.id:
                tables.mailed_links.remove(link.id)
        tables.people.remove(person.id)
        tables.audit.add(structs.replace(row, before={"email": person.email, "role": person.role}))
        return person

    person = await services.rows.change(transaction, lambda _: drop_sessions(services, before.id))
    return Removed(person, keys)


def keys_made_by(services: ServiceContext, person: Person) -> tuple[str, ...]:
    """Keys that are not revoked and that they made, by id, the newest first."""
    if person.account_id is None:
        return ()
    made = [one for one in services.directory.keys_of(person.account_id) if one.made_by == person.id]
    standing = [one for one in made if one.state != "revoked"]
    return tuple(one.id for one in sorted(standing, key=lambda one: -one.created_at_ms))

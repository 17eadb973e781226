"""Signing in to the console, and out of it: by hand, everywhere, and when a session is over."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct, structs

from tollhouse.access.sessions import SECRET_BYTES, SEEN_EVERY_MS, SESSIONS_MAX, digest_of, is_over, secret_of
from tollhouse.core.audit import Actor
from tollhouse.core.failure import Conflict, PathNotFound
from tollhouse.core.person import Person
from tollhouse.core.session import Session
from tollhouse.limits.addresses import network_of
from tollhouse.services import audit, factor_codes, mailed_links, people
from tollhouse.services.context import HalfSignedIn, ServiceContext
from tollhouse.store.tables import SqlRepositories

_EMAIL_MAX: Final = 300
_WRONG_CODES_MAX: Final = 5  # then the password is asked for again
_NETWORKS_MAX: Final = 10  # of a person that are remembered


class SignedIn(Struct, frozen=True):
    """before: the session of this person that was used last, if any."""

    person: Person
    session: Session
    secret: str
    before: Session | None


class CodeWanted(Struct, frozen=True):
    """The password was right; `secret` is to come back with a code."""

    secret: str
    is_wrong: bool = False


class Visitor(Struct, frozen=True):
    """Who shows the secret of a session that stands."""

    person: Person
    session: Session


async def load(services: ServiceContext) -> None:
    """At the start: the sessions that stand."""
    now_ms = services.clock.now_ms()
    for session in await services.rows.read(lambda tables: tables.sessions.list_all()):
        if not is_over(session, now_ms):
            services.sessions.put(session)


async def sign_in(
    services: ServiceContext, *, email: str, password: str, address: str, browser: str
) -> SignedIn | CodeWanted | None:
    """A new session, or the question for a code; None for a wrong password, an unknown address and a disabled person,
    all after the same time.

    Attempts count on the address of mail and on the one of the network. Whoever comes from a network in which this
    person has signed in before is counted apart, so that nobody's guesses elsewhere lock them out. Raises RateLimited,
    Overloaded.
    """
    named, now_ms = email.strip().lower()[:_EMAIL_MAX], services.clock.now_ms()
    services.signing_in.admit(None, address, now_ms)
    person = await services.rows.read(lambda tables: tables.people.by_email(named))
    subject = _subject(person, named, address)
    services.guessed_passwords.require_none_due(subject, now_ms)
    services.signing_in.admit(subject, None, now_ms)
    if not await people.has_password(services, person, password):
        services.guessed_passwords.wrong(subject, now_ms)
        return None
    assert person is not None
    services.guessed_passwords.right(subject)
    if person.totp is None:
        return await begin(services, person, address, browser)
    secret = secret_of(services.random.bytes(SECRET_BYTES))
    half = HalfSignedIn(person.id, person.password_hash, f"{person.id} {subject}")
    services.half_signed_in.put(digest_of(secret).hex(), half, now_ms)
    return CodeWanted(secret)


def _subject(person: Person | None, named: str, address: str) -> str:
    network = network_of(address)
    return f"{named} {network}" if person is not None and network in person.networks else named


async def give_code(
    services: ServiceContext, *, secret: str, code: str, address: str, browser: str
) -> SignedIn | CodeWanted | None:
    """The second step of signing in. None: begin again, for it took too long, or there were too many wrong codes.
    Raises RateLimited."""
    key, now_ms = digest_of(secret).hex(), services.clock.now_ms()
    half = services.half_signed_in.get(key, now_ms)
    if half is None:
        return None
    services.guessed_codes.require_none_due(half.subject, now_ms)
    person_id = half.person_id
    person = await services.rows.read(lambda tables: tables.people.get(person_id))
    if person is None or person.state != "active" or person.password_hash != half.password_hash:
        services.half_signed_in.drop(key)
        return None
    if not factor_codes.is_code(services, person, code):
        services.guessed_codes.wrong(half.subject, now_ms)
        half.wrong += 1
        if half.wrong >= _WRONG_CODES_MAX:
            services.half_signed_in.drop(key)
            return None
        return CodeWanted(secret, is_wrong=True)
    services.guessed_codes.right(half.subject)
    services.half_signed_in.drop(key)
    return await begin(services, person, address, browser, code=code)


async def begin(
    services: ServiceContext,
    person: Person,
    address: str,
    browser: str,
    *,
    code: str = "",
    alone: bool = False,
    action: str = "session.begin",
    change: Callable[[Person], Person] = lambda person: person,
    tell: bool = False,
) -> SignedIn:
    """A new session of somebody who proved who they are, with another secret.

    code: what they proved it with, besides; it is taken here, once. alone: all their other sessions end. change: what
    becomes of them at the same moment. tell: a mail says that this was done. Raises Conflict where the password has
    changed meanwhile, or the code was taken.
    """
    secret, now_ms = secret_of(services.random.bytes(SECRET_BYTES)), services.clock.now_ms()
    session = Session(
        id=services.new_id("ses"),
        person_id=person.id,
        digest=digest_of(secret),
        created_at_ms=now_ms,
        seen_at_ms=now_ms,
        address=address,
        browser=browser,
        before_at_ms=person.signed_in_at_ms,
        before_address=person.signed_in_from,
        before_browser=person.signed_in_with,
    )
    standing = services.sessions.of_person(person.id)
    over = [one for place, one in enumerate(standing) if place >= SESSIONS_MAX - 1 or is_over(one, now_ms) or alone]
    row = audit.entry(services, actor_of(person, session), action, session.id, account_id=person.account_id)

    def transaction(tables: SqlRepositories) -> Person:
        found = tables.people.get(person.id)
        if found is None or found.state != "active" or found.password_hash != person.password_hash:
            raise Conflict("something has changed meanwhile: sign in again")
        after = change(_seen(factor_codes.without_code(services, found, code) if code else found, session))
        tables.people.save(after)
        if alone:
            tables.sessions.remove_of(person.id)
        for one in over:
            tables.sessions.remove(one.id)
        tables.sessions.add(session)
        tables.audit.add(audit.changed(row, found, after) if action != "session.begin" else row)
        if tell:
            mailed_links.send(services, tables, "person.changed", found.email, found.account_id, about=found.id)
        return after

    def follow(_: Person) -> None:
        for one in services.sessions.of_person(person.id) if alone else over:
            services.sessions.drop(one)
        services.sessions.put(session)
        if tell:
            services.news.set()

    after = await services.rows.change(transaction, follow)
    return SignedIn(after, session, secret, standing[0] if standing else None)


def _seen(person: Person, session: Session) -> Person:
    """Where they were last."""
    network = network_of(session.address)
    networks = [one for one in person.networks if one != network] + ([] if network is None else [network])
    return structs.replace(
        person,
        networks=tuple(networks[-_NETWORKS_MAX:]),
        signed_in_at_ms=session.created_at_ms,
        signed_in_from=session.address,
        signed_in_with=session.browser,
    )


async def visitor(services: ServiceContext, secret: str) -> Visitor | None:
    """Who brings this secret; None: nobody who is signed in. Raises Overloaded."""
    now_ms = services.clock.now_ms()
    session = services.sessions.find(secret, now_ms)
    if session is None:
        return None
    person_id = session.person_id
    person = await services.rows.read(lambda tables: tables.people.get(person_id))
    session = services.sessions.find(secret, now_ms)  # it may have ended or changed while we asked
    if person is None or person.state != "active" or session is None:
        return None
    if now_ms - session.seen_at_ms >= SEEN_EVERY_MS:
        session = structs.replace(session, seen_at_ms=now_ms)
        services.sessions.put(session)
        session_id = session.id
        services.later(lambda tables: tables.sessions.seen(session_id, now_ms))
    return Visitor(person, session)


async def end(services: ServiceContext, actor: Actor, person: Person, session_id: str) -> Session:
    """Sign out of one session of this person's. Raises PathNotFound."""
    found = [one for one in services.sessions.of_person(person.id) if one.id == session_id]
    if not found:
        raise PathNotFound("there is no such session: it has ended already")
    await _end(services, actor, person, found)
    return found[0]


async def end_by_id(services: ServiceContext, actor: Actor, session_id: str, *, of_others: bool) -> Session:
    """Sign out of one session: of one's own, or of somebody's whom the actor reaches. Raises PathNotFound."""
    found = services.sessions.by_id(session_id)
    if found is None or (found.person_id != actor.id and not of_others):
        raise PathNotFound("there is no such session: it has ended already")
    person_id = found.person_id
    person = await services.rows.read(lambda tables: tables.people.get(person_id))
    if person is None or actor.account_id not in (None, person.account_id):
        raise PathNotFound("there is no such session: it has ended already")
    return await end(services, actor, person, session_id)


async def end_all(services: ServiceContext, actor: Actor, person: Person, *, but: str | None = None) -> int:
    """Sign out everywhere, except of one session; how many ended."""
    found = [one for one in services.sessions.of_person(person.id) if one.id != but]
    await _end(services, actor, person, found)
    return len(found)


async def _end(services: ServiceContext, actor: Actor, person: Person, over: list[Session]) -> None:
    rows = [audit.entry(services, actor, "session.end", one.id, account_id=person.account_id) for one in over]

    def transaction(tables: SqlRepositories) -> None:
        for one, row in zip(over, rows, strict=True):
            tables.sessions.remove(one.id)
            tables.audit.add(row)

    for one in over:
        services.sessions.drop(one)  # at once, whatever becomes of the row
    await services.rows.change(transaction)


def actor_of(person: Person, session: Session, address: str | None = None) -> Actor:
    """How changes of somebody who is signed in are told."""
    return Actor(
        kind="person",
        id=person.id,
        account_id=person.account_id,
        address=session.address if address is None else address,
    )

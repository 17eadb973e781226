"""Signing in to the console, and out of it: by hand, everywhere, and when a session is over."""

import asyncio
from typing import Final

from msgspec import Struct, structs

from tollhouse.access.sessions import SECRET_BYTES, SEEN_EVERY_MS, SESSIONS_MAX, digest_of, is_over, secret_of
from tollhouse.core.audit import Actor
from tollhouse.core.failure import PathNotFound
from tollhouse.core.person import Person
from tollhouse.core.session import Session
from tollhouse.services import audit, people
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

_EMAIL_MAX: Final = 300


class SignedIn(Struct, frozen=True):
    """before: the session of this person that was used last, if any."""

    person: Person
    session: Session
    secret: str
    before: Session | None


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
) -> SignedIn | None:
    """A new session; None for a wrong password, an unknown address and a disabled person, all after the same time.

    Raises RateLimited after many attempts for one address of mail or from one of the network, Overloaded.
    """
    named = email.strip().lower()[:_EMAIL_MAX]
    services.signing_in.admit(named, address, services.clock.now_ms())
    person = await people.recognise(services, named, password)
    return None if person is None else await _begin(services, person, address, browser)


async def _begin(services: ServiceContext, person: Person, address: str, browser: str) -> SignedIn:
    secret = secret_of(services.random.bytes(SECRET_BYTES))
    now_ms = services.clock.now_ms()
    session = Session(
        id=services.new_id("ses"),
        person_id=person.id,
        digest=digest_of(secret),
        created_at_ms=now_ms,
        seen_at_ms=now_ms,
        address=address,
        browser=browser,
    )
    standing = services.sessions.of_person(person.id)
    over = [one for place, one in enumerate(standing) if place >= SESSIONS_MAX - 1 or is_over(one, now_ms)]
    row = audit.entry(services, actor_of(person, session), "session.begin", session.id, account_id=person.account_id)

    def transaction(tables: SqlRepositories) -> None:
        for one in over:
            tables.sessions.remove(one.id)
        tables.sessions.add(session)
        tables.audit.add(row)

    def follow(_: None) -> None:
        for one in over:
            services.sessions.drop(one)
        services.sessions.put(session)

    await services.rows.change(transaction, follow)
    return SignedIn(person, session, secret, standing[0] if standing else None)


async def visitor(services: ServiceContext, secret: str) -> Visitor | None:
    """Who brings this secret; None: nobody who is signed in. Raises Overloaded."""
    now_ms = services.clock.now_ms()
    session = services.sessions.find(secret, now_ms)
    if session is None:
        return None
    person_id = session.person_id
    person = await services.rows.read(lambda tables: tables.people.get(person_id))
    if person is None or person.state != "active":
        return None
    if now_ms - session.seen_at_ms >= SEEN_EVERY_MS:
        session = structs.replace(session, seen_at_ms=now_ms)
        services.sessions.put(session)
        task = asyncio.create_task(_note(services, session))
        services.tasks.add(task)
        task.add_done_callback(services.tasks.discard)
    return Visitor(person, session)


async def _note(services: ServiceContext, session: Session) -> None:
    await services.rows.change(lambda tables: tables.sessions.save(session))


async def end(services: ServiceContext, actor: Actor, person: Person, session_id: str) -> None:
    """Sign out of one session of this person's. Raises PathNotFound."""
    found = [one for one in services.sessions.of_person(person.id) if one.id == session_id]
    if not found:
        raise PathNotFound("there is no such session: it has ended already")
    await _end(services, actor, person, found)


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

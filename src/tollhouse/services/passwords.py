"""Passwords: changed by whoever knows the present one, or set anew by a link in a mail."""

from typing import Final

from msgspec import structs

from tollhouse.access.passwords import require_good
from tollhouse.core.audit import Actor
from tollhouse.core.mailed_link import MailedLink
from tollhouse.core.person import Person
from tollhouse.limits.addresses import network_of
from tollhouse.services import audit, mailed_links, people, proofs, sessions
from tollhouse.services.context import ServiceContext
from tollhouse.services.proofs import Proof
from tollhouse.services.sessions import SignedIn, Visitor
from tollhouse.store.tables import SqlRepositories

_EMAIL_MAX: Final = 300


async def change(services: ServiceContext, visitor: Visitor, *, proof: Proof, password: str, browser: str) -> SignedIn:
    """All their other sessions end, and theirs gets another secret. Raises BadRequest, RateLimited, Overloaded,
    Conflict."""
    person = visitor.person
    require_good(password, person.email)
    await proofs.require(services, person, proof)
    kept = await services.hashing.hash(password)
    return await sessions.begin(
        services,
        person,
        visitor.session.address,
        browser,
        code=proof.code if person.totp is not None else "",
        alone=True,
        action="person.password",
        change=lambda one: structs.replace(one, password_hash=kept),
        tell=True,
    )


async def ask_for_reset(services: ServiceContext, email: str, address: str, language: str | None = None) -> None:
    """Mail a link to whoever signs in by this address. The answer is the same, and as quick, where nobody does: what is
    done is done later. Raises RateLimited."""
    named, now_ms = email.strip().lower()[:_EMAIL_MAX], services.clock.now_ms()
    services.asking.admit(named, address, now_ms)
    created_at_ms, expires_at_ms = mailed_links.lasting(services, "reset")
    row = audit.entry(services, Actor(kind="stranger", id="", address=address), "person.ask_reset", "")

    def transaction(tables: SqlRepositories) -> None:
        person = tables.people.by_email(named)
        if person is None or person.state != "active" or not _may_ask(services, tables, address):
            return
        link = MailedLink(
            id=services.new_id("lnk"),
            kind="reset",
            email=person.email,
            person_id=person.id,
            account_id=person.account_id,
            created_at_ms=created_at_ms,
            expires_at_ms=expires_at_ms,
        )
        mailed_links.add(services, tables, link, language)
        tables.audit.add(structs.replace(row, object_id=person.id, account_id=person.account_id))

    services.later(transaction)


def _may_ask(services: ServiceContext, tables: SqlRepositories, address: str) -> bool:
    network = network_of(address)
    return network is None or tables.sendings.admit("stranger", network, services.clock.now_ms())


async def reset(services: ServiceContext, token: str, *, password: str, address: str) -> Person:
    """Set a new password by a link from a mail. All sessions end; whoever set it signs in by it, with their second
    factor. Raises PathNotFound, BadRequest, Overloaded."""
    link = await mailed_links.look_up(services, "reset", token)
    require_good(password, link.email)
    kept = await services.hashing.hash(password)
    person_id = link.person_id or ""
    actor = Actor(kind="person", id=person_id, account_id=None, address=address)
    row = audit.entry(services, actor, "person.reset", person_id)

    def transaction(tables: SqlRepositories) -> Person:
        mailed_links.find(services, tables, "reset", token)
        for one in tables.mailed_links.to(link.email):
            if one.kind == "reset":
                tables.mailed_links.remove(one.id)
        done = people.save_changed(
            tables, row, person_id, lambda one: structs.replace(one, password_hash=kept), ends_sessions=True
        )
        mailed_links.send(services, tables, "person.changed", done.email, done.account_id, about=done.id)
        return done

    def follow(done: Person) -> None:
        people.drop_sessions(services, done.id)
        services.guessed_passwords.right(done.email)
        services.news.set()

    return await services.rows.change(transaction, follow)

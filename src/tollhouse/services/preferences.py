"""What people set for themselves: how pages look, and by which address they sign in."""

from typing import Final, get_args

from msgspec import structs

from tollhouse.core.audit import Actor
from tollhouse.core.failure import Conflict
from tollhouse.core.mailed_link import MailedLink
from tollhouse.core.person import Person, Theme
from tollhouse.services import audit, fields, mailed_links, people, proofs
from tollhouse.services.choices import no_such, require_one_of
from tollhouse.services.context import ServiceContext
from tollhouse.services.proofs import Proof
from tollhouse.services.sessions import Visitor
from tollhouse.store.tables import SqlRepositories

THEMES: Final[tuple[Theme, ...]] = get_args(Theme)


async def set_look(
    services: ServiceContext, actor: Actor, person: Person, *, language: str, theme: str, offered: tuple[str, ...]
) -> Person:
    """language: one of those offered, or empty: as the browser asks. Raises BadRequest."""
    chosen = next((one for one in THEMES if one == theme), None)
    if chosen is None:
        raise no_such("theme", theme, THEMES)
    require_one_of("language", language or None, offered)
    row = audit.entry(services, actor, "person.look", person.id, account_id=person.account_id)

    def transaction(tables: SqlRepositories) -> Person:
        return people.save_changed(
            tables, row, person.id, lambda one: structs.replace(one, language=language or None, theme=chosen)
        )

    return await services.rows.change(transaction)


async def ask_for_address(
    services: ServiceContext, visitor: Visitor, *, email: str, proof: Proof, language: str | None = None
) -> None:
    """Mail a link to another address, by which they sign in once they have followed it. Who signs in by it already gets
    a mail that says so: nobody learns here who that is. Raises BadRequest, RateLimited, Overloaded."""
    person = visitor.person
    address = fields.email(email).lower()
    services.asking.admit(person.id, visitor.session.address, services.clock.now_ms())
    await proofs.require(services, person, proof)
    created_at_ms, expires_at_ms = mailed_links.lasting(services, "address")
    link = MailedLink(
        id=services.new_id("lnk"),
        kind="address",
        email=address,
        person_id=person.id,
        account_id=person.account_id,
        created_at_ms=created_at_ms,
        expires_at_ms=expires_at_ms,
    )

    def transaction(tables: SqlRepositories) -> None:
        if tables.people.by_email(address) is None:
            mailed_links.add(services, tables, link, language)
        else:
            mailed_links.send(services, tables, "person.known", address, person.account_id, about=link.id)

    services.later(transaction)


async def confirm_address(services: ServiceContext, token: str, address: str) -> Person:
    """They sign in by the new address from now on; the old one is told. Raises PathNotFound, Conflict."""
    link = await mailed_links.look_up(services, "address", token)
    person_id = link.person_id or ""
    row = audit.entry(services, Actor(kind="person", id=person_id, address=address), "person.address", person_id)

    def transaction(tables: SqlRepositories) -> Person:
        mailed_links.find(services, tables, "address", token)
        tables.mailed_links.remove(link.id)
        if tables.people.by_email(link.email) is not None:
            raise Conflict("somebody signs in by this address already", param="email")
        before = tables.people.get(person_id)
        done = people.save_changed(tables, row, person_id, lambda one: structs.replace(one, email=link.email))
        if before is not None:
            mailed_links.send(
                services,
                tables,
                "person.changed",
                before.email,
                done.account_id,
                about=done.id,
                language=before.language,
            )
        return done

    return await services.rows.change(transaction, lambda _: services.news.set())

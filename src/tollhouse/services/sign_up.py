"""Opening an account by oneself: a mail shows that the address is theirs, then there is an account with its owner.

`[platform] sign_up`: `closed`: nobody; `invite`: who was invited to (`invitations`); `open`: anybody.
"""

from typing import Final

from tollhouse.access.passwords import require_good
from tollhouse.core.audit import Actor
from tollhouse.core.failure import NotPermitted
from tollhouse.core.mailed_link import MailedLink
from tollhouse.core.person import Person
from tollhouse.limits.addresses import network_of
from tollhouse.services import accounts, audit, fields, mailed_links, people, sessions
from tollhouse.services.context import ServiceContext
from tollhouse.services.sessions import SignedIn
from tollhouse.store.tables import SqlRepositories

_ACTOR: Final = Actor(kind="system", id="sign-up")


async def ask(services: ServiceContext, email: str, address: str, language: str | None = None) -> None:
    """Mail a link to an address. Who signs in by it already gets a mail that says so: the answer is the same, and as
    quick. Raises BadRequest for what is no address, RateLimited, NotPermitted where sign-up is not open."""
    if services.sign_up != "open":
        raise NotPermitted("nobody opens an account here by themselves: ask whoever runs this platform")
    named, network = fields.email(email).lower(), network_of(address)
    services.asking.admit(named, address, services.clock.now_ms())
    created_at_ms, expires_at_ms = mailed_links.lasting(services, "account")
    link = MailedLink(
        id=services.new_id("lnk"), kind="account", email=named, created_at_ms=created_at_ms, expires_at_ms=expires_at_ms
    )

    def transaction(tables: SqlRepositories) -> None:
        if network is not None and not tables.sendings.admit("stranger", network, link.created_at_ms):
            return
        if tables.people.by_email(named) is None:
            mailed_links.add(services, tables, link, language)
        else:
            mailed_links.send(services, tables, "person.known", named, None, about=link.id, language=language)

    services.later(transaction)


async def finish(
    services: ServiceContext, token: str, *, name: str, password: str, address: str, browser: str
) -> SignedIn:
    """Open the account, on the default plan, with whoever followed the link as its owner, who is signed in then.

    Raises PathNotFound, BadRequest, Conflict, Overloaded, NotPermitted where sign-up was closed meanwhile.
    """
    if services.sign_up == "closed":
        raise NotPermitted("nobody opens an account here at the moment: ask whoever runs this platform")
    link = await mailed_links.look_up(services, "account", token)
    called = fields.name(name)
    require_good(password, link.email, called)
    kept = await services.hashing.hash(password)
    opening = accounts.opening(services, name=called, email=link.email)
    person = Person(
        id=services.new_id("per"),
        email=link.email,
        role="owner",
        account_id=opening.account.id,
        password_hash=kept,
        created_at_ms=services.clock.now_ms(),
    )
    actor = Actor(kind=_ACTOR.kind, id=_ACTOR.id, address=address)
    row = audit.entry(services, actor, "account.create", opening.account.id, account_id=opening.account.id)
    who = audit.entry(services, actor, "person.create", person.id, account_id=opening.account.id)

    def transaction(tables: SqlRepositories) -> None:
        mailed_links.find(services, tables, "account", token)
        for one in tables.mailed_links.to(link.email):
            if one.kind == "account":
                tables.mailed_links.remove(one.id)
        accounts.add(tables, opening, row)
        people.add(tables, who, person)

    await services.rows.change(transaction, lambda _: accounts.follow(services, opening))
    return await sessions.begin(services, person, address, browser)

"""Invitations: somebody is asked to become a member, to run the platform, or to open an account; and comes."""

from msgspec import Struct, structs

from tollhouse.access.passwords import require_good
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound
from tollhouse.core.mailed_link import MailedLink
from tollhouse.core.person import Person
from tollhouse.core.phrase import Phrase
from tollhouse.services import audit, fields, mailed_links, maxima, people, reach, sessions
from tollhouse.services.choices import require_one_of
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.people import NewInvitation, PeopleQuery
from tollhouse.services.sessions import SignedIn
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories


class Invited(Struct, frozen=True):
    """path: of the link, shown once; a mail has another one to the same place."""

    link: MailedLink
    path: str


@WithFieldsOf(NewInvitation)
async def invite(services: ServiceContext, actor: Actor, given: NewInvitation) -> Invited:
    """Mail somebody a link. Of the same address and account the one before ends.

    Who has an account elsewhere gets it likewise: nobody learns here who that is. Raises BadRequest, PathNotFound,
    Conflict, ScopeMissing.
    """
    email = fields.email(given.email).lower()
    require_one_of("language", given.language, services.languages)
    link = _link(services, actor, email, given)
    row = audit.entry(services, actor, "person.invite", link.id, account_id=link.account_id)

    def transaction(tables: SqlRepositories) -> Invited:
        known = tables.people.by_email(email)
        if known is not None and link.kind == "invitation" and known.account_id == link.account_id:
            raise Conflict(Phrase("%(email)s is a member already", email=email), param="email")
        for one in tables.mailed_links.to(email):
            if (one.kind, one.account_id) == (link.kind, link.account_id):
                tables.mailed_links.remove(one.id)
        if link.kind == "invitation":
            there_are = len(tables.people.of(link.account_id, people.PEOPLE_MAX))
            there_are += len(tables.mailed_links.invitations(link.account_id, people.PEOPLE_MAX))
            maxima.require_room(there_are, people.PEOPLE_MAX, "people, with those invited", "remove some")
        mailed_links.add(services, tables, link, given.language)
        tables.audit.add(structs.replace(row, after={"email": email, "role": link.role or "", "kind": link.kind}))
        return Invited(link, mailed_links.path_of(link, mailed_links.new_token(services, tables, link)))

    return await services.rows.change(transaction, lambda _: services.news.set())


def _link(services: ServiceContext, actor: Actor, email: str, given: NewInvitation) -> MailedLink:
    kind, account_id, role = "invitation", None, None
    if given.new_account:
        reach.require_operator(actor, "invite people to open accounts")
        if services.sign_up == "closed":
            raise Conflict("nobody opens an account here: [platform] sign_up is `closed`, set `invite` or `open`")
        if given.account is not None or given.platform:
            raise BadRequest("new_account: name no account, and not the platform", param="new_account")
        kind = "account"
    else:
        account_id = people.within(services, actor, given.account, given.platform)
        role = people.new_role(given.role, account_id)
    created_at_ms, expires_at_ms = mailed_links.lasting(services, "invitation")
    return MailedLink(
        id=services.new_id("lnk"),
        kind="account" if kind == "account" else "invitation",
        email=email,
        account_id=account_id,
        role=role,
        made_by=actor.id,
        created_at_ms=created_at_ms,
        expires_at_ms=expires_at_ms,
    )


@WithFieldsOf(PeopleQuery)
async def list_all(services: ServiceContext, actor: Actor, given: PeopleQuery) -> list[MailedLink]:
    """Who was invited and has not come yet, the newest first."""
    account_id, now_ms = people.within(services, actor, given.account, given.platform), services.clock.now_ms()
    found = await services.rows.read(lambda tables: tables.mailed_links.invitations(account_id, people.PEOPLE_MAX))
    return [one for one in found if one.expires_at_ms > now_ms]


async def withdraw(services: ServiceContext, actor: Actor, link_id: str) -> MailedLink:
    """The link leads nowhere from now on. Raises PathNotFound."""
    row = audit.entry(services, actor, "person.uninvite", link_id)

    def transaction(tables: SqlRepositories) -> MailedLink:
        found = tables.mailed_links.get(link_id)
        is_ours = found is not None and (actor.account_id in (None, found.account_id)) and found.role is not None
        if found is None or not is_ours:
            raise PathNotFound(Phrase("no invitation %(invitation)s", invitation=reach.shown(link_id)))
        tables.mailed_links.remove(found.id)
        tables.audit.add(structs.replace(row, account_id=found.account_id, before={"email": found.email}))
        return found

    return await services.rows.change(transaction)


async def accept(services: ServiceContext, token: str, *, password: str, address: str, browser: str) -> SignedIn:
    """Come: sign in by the invited address and this password from now on; the answer is the first session.

    Raises PathNotFound, BadRequest, Overloaded, and Conflict where this address signs in already.
    """
    link = await mailed_links.look_up(services, "invitation", token)
    require_good(password, link.email)
    person = Person(
        id=services.new_id("per"),
        email=link.email,
        role=people.new_role(link.role or "", link.account_id),
        account_id=link.account_id,
        password_hash=await services.hashing.hash(password),
        created_at_ms=services.clock.now_ms(),
        factor="required" if link.account_id is None else "optional",
    )
    actor = Actor(kind="person", id=person.id, account_id=person.account_id, address=address)
    row = audit.entry(services, actor, "person.create", person.id, account_id=person.account_id)

    def transaction(tables: SqlRepositories) -> Person:
        mailed_links.find(services, tables, "invitation", token)
        tables.mailed_links.remove(link.id)
        return people.add(tables, row, person)

    await services.rows.change(transaction)
    return await sessions.begin(services, person, address, browser)

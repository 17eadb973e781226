"""/api/v1/people and /api/v1/invitations: members of accounts, and those who run the platform."""

from msgspec import structs

from tollhouse.core.mailed_link import MailedLink
from tollhouse.core.person import Person
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, fill
from tollhouse.edge.admin.route import ACCOUNT, AdminRequest, NoParameters, route
from tollhouse.services import factors, invitations, people
from tollhouse.services.given.people import NewInvitation, PeopleQuery, PersonFields, RoleChange


class PersonObject(PersonFields, frozen=True, tag_field="object", tag="person"):
    """`account_id` null: of the platform."""

    id: str
    account_id: str | None
    state: str
    has_factor: bool
    signed_in_at: str | None
    created_at: str | None


class ShownPersonObject(PersonObject, frozen=True, tag_field="object", tag="person"):
    """`keys`: what they made and what is not revoked, by id. `sessions`: in how many browsers they are signed in."""

    keys: tuple[str, ...]
    sessions: int


class RemovedPersonObject(PersonFields, frozen=True, tag_field="object", tag="removed_person"):
    """`keys`: what they made and what goes on to work."""

    id: str
    account_id: str | None
    keys: tuple[str, ...]


class InvitationObject(PersonFields, frozen=True, tag_field="object", tag="invitation"):
    """`role` empty: to open an account. `secret`: the path of its link on the console; only when it was made."""

    id: str
    account_id: str | None
    expires_at: str | None
    created_at: str | None
    secret: str | None


@route("people.list", "GET /api/v1/people", ACCOUNT, "Members, or people of the platform")
async def list_all(context: AdminContext, request: AdminRequest[PeopleQuery]) -> PageObject[PersonObject]:
    found = await people.list_all(context.services, request.actor, **request.given)
    return PageObject(data=tuple(_person_object(one) for one in found))


@route("people.invite", "POST /api/v1/invitations", ACCOUNT, "Invite somebody", status=201)
async def invite(context: AdminContext, request: AdminRequest[NewInvitation]) -> InvitationObject:
    made = await invitations.invite(context.services, request.actor, **request.given)
    return _invitation_object(made.link, made.path)


@route("people.invitations", "GET /api/v1/invitations", ACCOUNT, "Who was invited and has not come yet")
async def list_invitations(context: AdminContext, request: AdminRequest[PeopleQuery]) -> PageObject[InvitationObject]:
    found = await invitations.list_all(context.services, request.actor, **request.given)
    return PageObject(data=tuple(_invitation_object(one) for one in found))


@route("people.uninvite", "POST /api/v1/invitations/{id}/withdraw", ACCOUNT, "End an invitation")
async def withdraw(context: AdminContext, request: AdminRequest[NoParameters]) -> InvitationObject:
    return _invitation_object(await invitations.withdraw(context.services, request.actor, request.id))


@route("people.show", "GET /api/v1/people/{id}", ACCOUNT, "One of them, with the keys that they made")
async def show(context: AdminContext, request: AdminRequest[NoParameters]) -> ShownPersonObject:
    services = context.services
    found = await people.find(services, request.actor, request.id)
    return ShownPersonObject(
        **structs.asdict(_person_object(found)),
        keys=people.keys_made_by(services, found),
        sessions=len(services.sessions.of_person(found.id)),
    )


@route("people.set", "POST /api/v1/people/{id}", ACCOUNT, "Change a role")
async def change_role(context: AdminContext, request: AdminRequest[RoleChange]) -> PersonObject:
    return _person_object(await people.change_role(context.services, request.actor, request.id, role=request.body.role))


@route("people.disable", "POST /api/v1/people/{id}/disable", ACCOUNT, "Let somebody sign in no more")
async def disable(context: AdminContext, request: AdminRequest[NoParameters]) -> PersonObject:
    return _person_object(await people.disable(context.services, request.actor, request.id))


@route("people.enable", "POST /api/v1/people/{id}/enable", ACCOUNT, "Let somebody sign in again")
async def enable(context: AdminContext, request: AdminRequest[NoParameters]) -> PersonObject:
    return _person_object(await people.enable(context.services, request.actor, request.id))


@route("people.sign_out", "POST /api/v1/people/{id}/sign_out", ACCOUNT, "End somebody's sessions")
async def sign_out(context: AdminContext, request: AdminRequest[NoParameters]) -> PersonObject:
    return _person_object(await people.sign_out(context.services, request.actor, request.id))


@route("people.forget_factor", "POST /api/v1/people/{id}/forget_factor", ACCOUNT, "Forget a second factor")
async def forget_factor(context: AdminContext, request: AdminRequest[NoParameters]) -> PersonObject:
    return _person_object(await factors.forget(context.services, request.actor, request.id))


@route("people.remove", "POST /api/v1/people/{id}/remove", ACCOUNT, "Remove somebody")
async def remove(context: AdminContext, request: AdminRequest[NoParameters]) -> RemovedPersonObject:
    done = await people.remove(context.services, request.actor, request.id)
    return fill(RemovedPersonObject, done.person, keys=done.keys)


def _person_object(person: Person) -> PersonObject:
    return fill(PersonObject, person, has_factor=person.totp is not None)


def _invitation_object(link: MailedLink, path: str | None = None) -> InvitationObject:
    return fill(InvitationObject, link, role=link.role or "", secret=path)

"""/api/v1/sessions: in which browsers somebody is signed in to the console."""

from msgspec import Struct

from tollhouse.core.failure import BadRequest, ScopeMissing
from tollhouse.core.person import Person
from tollhouse.core.session import Session
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.objects import PageObject, fill
from tollhouse.edge.admin.route import ACCOUNT, AdminRequest, NoParameters, route
from tollhouse.services import people, sessions
from tollhouse.services.given.sessions import SessionQuery


class SessionObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="session"):
    """`browser`: of a known one; `seen_at`: to a few minutes. `looks_at`: the account that somebody of the platform
    looks at with it."""

    id: str
    person_id: str
    created_at: str | None
    seen_at: str | None
    address: str
    browser: str
    looks_at: str | None


@route("sessions.list", "GET /api/v1/sessions", ACCOUNT, "Where somebody is signed in; the last one used first")
async def list_all(context: AdminContext, request: AdminRequest[SessionQuery]) -> PageObject[SessionObject]:
    person = await _person(context, request)
    return PageObject(data=tuple(_object(one) for one in context.services.sessions.of_person(person.id)))


@route("sessions.end", "POST /api/v1/sessions/{id}/end", ACCOUNT, "Sign out of one browser")
async def end(context: AdminContext, request: AdminRequest[NoParameters]) -> SessionObject:
    of_others = request.may("people.sign_out")
    return _object(await sessions.end_by_id(context.services, request.actor, request.id, of_others=of_others))


async def _person(context: AdminContext, request: AdminRequest[SessionQuery]) -> Person:
    """Whose sessions are meant: one's own, or those of somebody whom one may sign out."""
    actor, wanted = request.actor, request.body.person
    if wanted is None and actor.kind != "person":
        raise BadRequest("person: say whose sessions, by id or mail address", param="person")
    if wanted is not None and wanted != actor.id and not request.may("people.sign_out"):
        raise ScopeMissing("your role does not include other people's sessions: leave person out for your own")
    return await people.find(context.services, actor, wanted or actor.id)


def _object(session: Session) -> SessionObject:
    return fill(SessionObject, session)

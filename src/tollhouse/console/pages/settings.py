"""/console/settings: what people set for themselves (sessions, password, address, looks), and their account's zone."""

from typing import Final

from tollhouse.console import cookies
from tollhouse.console.route import SIGNED_IN, Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest, Conflict, Failure, Overloaded, RateLimited
from tollhouse.services import accounts, passwords, preferences, sessions
from tollhouse.services.proofs import Proof
from tollhouse.services.sessions import Visitor

HERE: Final = "/console/settings"
TROUBLES: Final = (BadRequest, Conflict, RateLimited, Overloaded)
_DONE: Final = ("password", "look", "zone", "address", "sessions")
_ZONES: Final = (
    *("UTC", "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "Asia/Seoul"),
    *("Asia/Kolkata", "Asia/Dubai", "Australia/Sydney", "Europe/London", "Europe/Berlin", "Europe/Paris"),
    *("Europe/Zurich", "Europe/Madrid", "Europe/Warsaw", "Europe/Kyiv", "Africa/Lagos", "Africa/Johannesburg"),
    *("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Toronto"),
    *("America/Sao_Paulo", "America/Mexico_City"),
)


def own(visit: Visit) -> Visitor:
    """Whose page it is; these pages need a session."""
    assert visit.visitor is not None
    return visit.visitor


def proof(visit: Visit) -> Proof:
    """What a form asks for before something important changes."""
    return Proof(visit.typed("present"), visit.given("code")[:100])


@page("GET /console/settings", may=SIGNED_IN)
async def settings(visit: Visit) -> Answer:
    return _page(visit)


@page("POST /console/settings/sessions/{id}/end", may=SIGNED_IN)
async def end_session(visit: Visit) -> Answer:
    visitor = own(visit)
    await sessions.end(visit.context.services, visit.actor, visitor.person, visit.id)
    if visit.id == visitor.session.id:
        return Elsewhere("/console/sign-in", [cookies.ends(is_secure=visit.is_secure)])
    return _done("sessions")


@page("POST /console/settings/sessions/end", may=SIGNED_IN)
async def end_others(visit: Visit) -> Answer:
    visitor = own(visit)
    await sessions.end_all(visit.context.services, visit.actor, visitor.person, but=visitor.session.id)
    return _done("sessions")


@page("POST /console/settings/password", may=SIGNED_IN)
async def change_password(visit: Visit) -> Answer:
    try:
        done = await passwords.change(
            visit.context.services,
            own(visit),
            proof=proof(visit),
            password=visit.typed("password"),
            browser=visit.browser,
        )
    except TROUBLES as trouble:
        return _page(visit, "password", trouble)
    return _done("password", [cookies.begins(done.secret, is_secure=visit.is_secure)])


@page("POST /console/settings/address", may=SIGNED_IN)
async def change_address(visit: Visit) -> Answer:
    try:
        await preferences.ask_for_address(
            visit.context.services,
            own(visit),
            email=visit.given("email"),
            proof=proof(visit),
            language=visit.language,
        )
    except TROUBLES as trouble:
        return _page(visit, "address", trouble)
    return _done("address")


@page("POST /console/settings/look", may=SIGNED_IN)
async def change_look(visit: Visit) -> Answer:
    try:
        await preferences.set_look(
            visit.context.services,
            visit.actor,
            own(visit).person,
            language=visit.given("language"),
            theme=visit.given("theme"),
            offered=visit.context.settings.platform.languages,
        )
    except TROUBLES as trouble:
        return _page(visit, "look", trouble)
    return _done("look")


@page("POST /console/settings/zone", may="accounts.zone")
async def change_zone(visit: Visit) -> Answer:
    account = visit.account
    if account is None:
        return Elsewhere(HERE)
    try:
        await accounts.set_zone(visit.context.services, visit.actor, account.id, visit.given("zone"))
    except TROUBLES as trouble:
        return _page(visit, "zone", trouble)
    return _done("zone")


def _done(section: str, new_cookies: list[str] | None = None) -> Elsewhere:
    return Elsewhere(f"{HERE}?done={section}#{section}", new_cookies or [])


def _page(visit: Visit, section: str = "", trouble: Failure | None = None) -> Shown:
    visitor, done = own(visit), visit.asked("done")
    return Shown(
        "settings.html",
        {
            "own": visitor,
            "sessions": visit.context.services.sessions.of_person(visitor.person.id),
            "themes": preferences.THEMES,
            "zones": _ZONES,
            "given": visit.given,
            "section": section,
            "trouble": trouble,
            "done": done if done in _DONE and trouble is None else "",
        },
        200 if trouble is None else trouble.status,
    )

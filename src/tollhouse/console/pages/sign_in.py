"""/console/sign-in and /console/sign-out."""

from urllib.parse import urlsplit

from tollhouse.access.browsers import browser_of
from tollhouse.console import cookies
from tollhouse.console.route import EVERYBODY, SIGNED_IN, Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import RateLimited
from tollhouse.services import sessions

_HOME = "/console/"


@page("GET /console/sign-in", may=EVERYBODY)
async def form(visit: Visit) -> Answer:
    if visit.visitor is not None:
        return Elsewhere(_next(visit.asked("next")))
    return _form(visit, visit.asked("next"))


@page("POST /console/sign-in", may=EVERYBODY)
async def sign_in(visit: Visit) -> Answer:
    services = visit.context.services
    try:
        done = await sessions.sign_in(
            services,
            email=visit.given("email"),
            password=visit.form.get("password", [""])[0],
            address=visit.address,
            browser=browser_of(visit.headers.get(b"user-agent", b"")),
        )
    except RateLimited as limited:
        return _form(visit, visit.given("next"), limited.message, 429)
    if done is None:
        return _form(visit, visit.given("next"), "wrong", 401)
    return Elsewhere(_next(visit.given("next")), [cookies.begins(done.secret, is_secure=visit.is_secure)])


@page("POST /console/sign-out", may=SIGNED_IN)
async def sign_out(visit: Visit) -> Answer:
    assert visit.visitor is not None
    person, session = visit.visitor.person, visit.visitor.session
    await sessions.end(visit.context.services, visit.actor, person, session.id)
    return Elsewhere("/console/sign-in", [cookies.ends(is_secure=visit.is_secure)])


def _form(visit: Visit, following: str, trouble: str = "", status: int = 200) -> Shown:
    loopback = visit.address.startswith("127.") or visit.address == "::1"
    return Shown(
        "sign_in.html",
        {
            "next": _next(following),
            "email": visit.given("email"),
            "trouble": trouble,
            "tls_is_missing": not visit.is_secure and not loopback,
        },
        status,
    )


def _next(wanted: str) -> str:
    """The page that was asked for, where it is one of this site."""
    parts = urlsplit(wanted)
    ours = not parts.scheme and not parts.netloc and wanted.startswith("/console/") and "\\" not in wanted
    return wanted if ours and wanted.isprintable() else _HOME

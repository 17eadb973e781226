"""/console/sign-in and /console/sign-out."""

from urllib.parse import urlsplit

from tollhouse.console import cookies
from tollhouse.console.route import EVERYBODY, SIGNED_IN, Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import Conflict, Failure, Overloaded, RateLimited
from tollhouse.services import sessions
from tollhouse.services.sessions import CodeWanted, SignedIn

_HOME = "/console/"


@page("GET /console/sign-in", may=EVERYBODY)
async def form(visit: Visit) -> Answer:
    if visit.visitor is not None:
        return Elsewhere(_next(visit.asked("next")))
    return _form(visit, visit.asked("next"))


@page("POST /console/sign-in", may=EVERYBODY)
async def sign_in(visit: Visit) -> Answer:
    try:
        done = await sessions.sign_in(
            visit.context.services,
            email=visit.given("email"),
            password=visit.typed("password"),
            address=visit.address,
            browser=visit.browser,
        )
    except (RateLimited, Overloaded, Conflict) as trouble:
        return _form(visit, visit.given("next"), trouble.phrase, trouble.status)
    if done is None:
        return _form(visit, visit.given("next"), "wrong", 401)
    return _after(visit, done)


@page("POST /console/sign-in/code", may=EVERYBODY)
async def give_code(visit: Visit) -> Answer:
    secret = visit.given("wanted")[:100]
    try:
        done = await sessions.give_code(
            visit.context.services,
            secret=secret,
            code=visit.given("code")[:100],
            address=visit.address,
            browser=visit.browser,
        )
    except (RateLimited, Conflict) as trouble:
        return _code(visit, CodeWanted(secret), trouble)
    if done is None:
        return _form(visit, visit.given("next"), "again", 401)
    return _after(visit, done)


def _after(visit: Visit, done: SignedIn | CodeWanted) -> Answer:
    if isinstance(done, CodeWanted):
        return _code(visit, done)
    return Elsewhere(_next(visit.given("next")), [cookies.begins(done.secret, is_secure=visit.is_secure)])


@page("POST /console/sign-out", may=SIGNED_IN, without_factor=True)
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
            "is_open": visit.context.services.sign_up == "open",
            "done": visit.asked("done"),
        },
        status,
    )


def _code(visit: Visit, wanted: CodeWanted, trouble: Failure | None = None) -> Shown:
    status = trouble.status if trouble is not None else 401 if wanted.is_wrong else 200
    values = {"next": _next(visit.given("next")), "wanted": wanted, "trouble": trouble}
    return Shown("sign_in_code.html", values, status)


def _next(wanted: str) -> str:
    """The page that was asked for, where it is one of this site."""
    parts = urlsplit(wanted)
    ours = not parts.scheme and not parts.netloc and wanted.startswith("/console/") and "\\" not in wanted
    return wanted if ours and wanted.isprintable() else _HOME

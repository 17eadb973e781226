"""Where links of mails lead, and where they are asked for: a new password, an invitation, an account, another address.

A page that a link opens changes nothing: mail programs follow links before people do. Its form does.
"""

from collections.abc import Mapping
from typing import Final

from tollhouse.console import cookies
from tollhouse.console.route import EVERYBODY, Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest, Conflict, Failure, Overloaded, RateLimited
from tollhouse.core.mailed_link import LinkKind
from tollhouse.services import invitations, mailed_links, passwords, preferences, sign_up
from tollhouse.services.sessions import SignedIn

_TROUBLES: Final = (BadRequest, Conflict, RateLimited, Overloaded)
_TOKEN_MAX: Final = 100
_FORMS: Final[Mapping[LinkKind, str]] = {
    "reset": "password_new.html",
    "invitation": "invitation.html",
    "account": "sign_up_finish.html",
    "address": "address_new.html",
}
"""What stands behind each kind of link."""


@page("GET /console/password", may=EVERYBODY)
async def forgotten(visit: Visit) -> Answer:
    return _form(visit, "password_ask.html")


@page("POST /console/password", may=EVERYBODY)
async def ask_for_password(visit: Visit) -> Answer:
    try:
        await passwords.ask_for_reset(visit.context.services, visit.given("email"), visit.address, visit.language)
    except _TROUBLES as trouble:
        return _form(visit, "password_ask.html", trouble)
    return _form(visit, "password_ask.html", is_asked=True)


@page("GET /console/password/new", may=EVERYBODY)
async def password_form(visit: Visit) -> Answer:
    return await _opened(visit, "reset", visit.asked("token"))


@page("POST /console/password/new", may=EVERYBODY)
async def set_password(visit: Visit) -> Answer:
    token = _admitted(visit)
    try:
        await passwords.reset(visit.context.services, token, password=visit.typed("password"), address=visit.address)
    except _TROUBLES as trouble:
        return await _opened(visit, "reset", token, trouble)
    return Elsewhere("/console/sign-in?done=password", [cookies.ends(is_secure=visit.is_secure)])


@page("GET /console/invitation", may=EVERYBODY)
async def invitation(visit: Visit) -> Answer:
    return await _opened(visit, "invitation", visit.asked("token"))


@page("POST /console/invitation", may=EVERYBODY)
async def accept(visit: Visit) -> Answer:
    token = _admitted(visit)
    try:
        done = await invitations.accept(
            visit.context.services,
            token,
            password=visit.typed("password"),
            address=visit.address,
            browser=visit.browser,
        )
    except _TROUBLES as trouble:
        return await _opened(visit, "invitation", token, trouble)
    return _begun(visit, done)


@page("GET /console/sign-up", may=EVERYBODY)
async def sign_up_form(visit: Visit) -> Answer:
    return _form(visit, "sign_up.html")


@page("POST /console/sign-up", may=EVERYBODY)
async def ask_for_account(visit: Visit) -> Answer:
    try:
        await sign_up.ask(visit.context.services, visit.given("email"), visit.address, visit.language)
    except _TROUBLES as trouble:
        return _form(visit, "sign_up.html", trouble)
    return _form(visit, "sign_up.html", is_asked=True)


@page("GET /console/sign-up/finish", may=EVERYBODY)
async def account_form(visit: Visit) -> Answer:
    return await _opened(visit, "account", visit.asked("token"))


@page("POST /console/sign-up/finish", may=EVERYBODY)
async def open_account(visit: Visit) -> Answer:
    token = _admitted(visit)
    try:
        done = await sign_up.finish(
            visit.context.services,
            token,
            name=visit.given("name"),
            password=visit.typed("password"),
            address=visit.address,
            browser=visit.browser,
        )
    except _TROUBLES as trouble:
        return await _opened(visit, "account", token, trouble)
    return _begun(visit, done)


@page("GET /console/address", may=EVERYBODY)
async def address_form(visit: Visit) -> Answer:
    return await _opened(visit, "address", visit.asked("token"))


@page("POST /console/address", may=EVERYBODY)
async def confirm_address(visit: Visit) -> Answer:
    token = _admitted(visit)
    try:
        await preferences.confirm_address(visit.context.services, token, visit.address)
    except _TROUBLES as trouble:
        return await _opened(visit, "address", token, trouble)
    return Elsewhere("/console/settings" if visit.visitor else "/console/sign-in?done=address")


def _admitted(visit: Visit) -> str:
    """The token of a form. Raises RateLimited: tokens are not for guessing, and passwords take time to hash."""
    visit.context.services.admit_confirmation(visit.address, visit.now_ms)
    return visit.given("token")[:_TOKEN_MAX]


async def _opened(visit: Visit, kind: LinkKind, token: str, trouble: Failure | None = None) -> Shown:
    """The form behind a link. Raises PathNotFound, RateLimited."""
    services = visit.context.services
    if trouble is None:
        services.admit_confirmation(visit.address, visit.now_ms)
    link = await mailed_links.look_up(services, kind, token[:_TOKEN_MAX])
    account = None if link.account_id is None else services.directory.accounts.get(link.account_id)
    values: dict[str, object] = {
        "link": link,
        "account": account,
        "token": token,
        "given": visit.given,
        "trouble": trouble,
    }
    return Shown(_FORMS[kind], values, 200 if trouble is None else trouble.status)


def _form(visit: Visit, template: str, trouble: Failure | None = None, is_asked: bool = False) -> Shown:
    values: dict[str, object] = {
        "given": visit.given,
        "trouble": trouble,
        "is_asked": is_asked,
        "mode": visit.context.services.sign_up,
        "contact": visit.context.settings.support.contact,
    }
    return Shown(template, values, 200 if trouble is None else trouble.status)


def _begun(visit: Visit, done: SignedIn) -> Elsewhere:
    return Elsewhere("/console/", [cookies.begins(done.secret, is_secure=visit.is_secure)])

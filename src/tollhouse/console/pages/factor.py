"""/console/settings/factor: the second factor of whoever is signed in."""

from typing import Final

from tollhouse.access import totp
from tollhouse.console import cookies
from tollhouse.console.pages.settings import TROUBLES, own, proof
from tollhouse.console.qr_code import qr_code
from tollhouse.console.route import SIGNED_IN, Answer, Elsewhere, Shown, page
from tollhouse.console.visit import Visit
from tollhouse.core.failure import Failure
from tollhouse.services import factors

_HERE: Final = "/console/settings/factor"


@page("GET /console/settings/factor", may=SIGNED_IN, without_factor=True)
async def factor(visit: Visit) -> Answer:
    return _page(visit)


@page("POST /console/settings/factor", may=SIGNED_IN, without_factor=True)
async def turn_on(visit: Visit) -> Answer:
    services = visit.context.services
    try:
        made = await factors.turn_on(
            services,
            own(visit),
            password=visit.typed("present"),
            code=visit.given("code")[:100],
            browser=visit.browser,
        )
    except TROUBLES as trouble:
        return _page(visit, trouble)
    return _codes(visit, made)


@page("POST /console/settings/factor/codes", may=SIGNED_IN)
async def new_codes(visit: Visit) -> Answer:
    try:
        made = await factors.new_codes(visit.context.services, own(visit), proof(visit), visit.browser)
    except TROUBLES as trouble:
        return _page(visit, trouble)
    return _codes(visit, made)


@page("POST /console/settings/factor/off", may=SIGNED_IN)
async def turn_off(visit: Visit) -> Answer:
    try:
        done = await factors.turn_off(visit.context.services, own(visit), proof(visit), visit.browser)
    except TROUBLES as trouble:
        return _page(visit, trouble)
    return Elsewhere(_HERE, [cookies.begins(done.secret, is_secure=visit.is_secure)])


def _page(visit: Visit, trouble: Failure | None = None) -> Shown:
    services, visitor = visit.context.services, own(visit)
    person, status = visitor.person, 200 if trouble is None else trouble.status
    if person.totp is not None:
        return Shown("factor_on.html", {"own": visitor, "trouble": trouble}, status)
    secret = factors.secret_to_be(services, visitor)
    values: dict[str, object] = {
        "own": visitor,
        "trouble": trouble,
        "secret": totp.in_groups(secret),
        "qr_code": qr_code,  # called where the page is rendered, in a thread
        "address": totp.address_of(secret, person.email, visit.context.settings.platform.name),
    }
    return Shown("factor_set_up.html", values, status)


def _codes(visit: Visit, made: factors.CodesShown) -> Shown:
    """The one page on which they stand."""
    cookie = cookies.begins(made.signed_in.secret, is_secure=visit.is_secure)
    return Shown("factor_codes.html", {"codes": made.recovery}, cookies=[cookie])

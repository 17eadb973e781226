"""/console/platform/tickets: what customers ask, with the receipt beside it and what can be done about it."""

from collections.abc import Awaitable, Mapping
from typing import Final, Literal

from tollhouse.console.local_time import instant_ms
from tollhouse.console.pages.request import receipt_values
from tollhouse.console.pages.tickets import thread_values
from tollhouse.console.route import Answer, Elsewhere, Shown, page
from tollhouse.console.ticket_forms import TROUBLE, CleanedForm, cleaned
from tollhouse.console.visit import Visit
from tollhouse.core.failure import BadRequest, Failure, PathNotFound
from tollhouse.core.roll_up import HOUR_MS
from tollhouse.core.ticket import Ticket, TicketSide, TicketState
from tollhouse.services import ticket_actions, tickets

PATH: Final = "/console/platform/tickets"
_SHOWN: Final = 50
_KEYS_MAX: Final = 50
_ENDS_IN_HOURS: Final[Mapping[str, int]] = {"now": 0, "1h": 1, "24h": 24, "7d": 7 * 24}
Narrowed = tuple[TicketState | None, TicketSide | None]
SHOWS: Final[Mapping[str, Narrowed]] = {
    "waiting": ("open", "platform"),
    "open": ("open", None),
    "closed": ("closed", None),
    "all": (None, None),
}
"""Which tickets a list shows, by its name: by state, and by whose turn it is."""


@page("GET /console/platform/tickets", may="tickets.list")
async def listing(visit: Visit) -> Answer:
    shows = visit.asked("show") if visit.asked("show") in SHOWS else "waiting"
    state, turn = SHOWS[shows]
    services = visit.context.services
    found = await tickets.list_page(
        services,
        visit.actor,
        account=visit.asked("account") or None,
        state=state,
        turn=turn,
        order="waiting" if shows == "waiting" else "changed",
        after=visit.asked("after") or None,
        limit=_SHOWN,
    )
    values: dict[str, object] = {
        "tickets": found.records,
        "next": found.next,
        "shows": shows,
        "accounts": services.directory.accounts,
        "asked_account": visit.asked("account"),
    }
    return Shown("platform_tickets.html", values)


@page("GET /console/platform/tickets/{id}", may="tickets.show")
async def one(visit: Visit) -> Answer:
    return await _shown(visit, CleanedForm({}))


@page("POST /console/platform/tickets/{id}/reply", may="tickets.reply")
async def reply(visit: Visit) -> Answer:
    form = cleaned(visit, "text")
    if form.taken:
        return await _shown(visit, form, of="reply")
    try:
        await tickets.reply(visit.context.services, visit.actor, visit.id, text=visit.given("text"))
    except TROUBLE as trouble:
        return await _shown(visit, form, trouble, "reply")
    return Elsewhere(f"{PATH}/{visit.id}")


@page("POST /console/platform/tickets/{id}/close", may="tickets.close")
async def close(visit: Visit) -> Answer:
    return await _done(visit, tickets.close(visit.context.services, visit.actor, visit.id), "close")


@page("POST /console/platform/tickets/{id}/refund", may="tickets.refund")
async def refund(visit: Visit) -> Answer:
    amount = visit.given("amount_usd").removeprefix("$").replace(",", "")
    given_back = ticket_actions.refund(visit.context.services, visit.actor, visit.id, amount_usd=amount or None)
    return await _done(visit, given_back, "refund")


@page("POST /console/platform/tickets/{id}/limit", may="tickets.limit")
async def limit(visit: Visit) -> Answer:
    digits = visit.given("most").replace(",", "").replace(" ", "")
    on: Literal["account", "key"] = "key" if visit.given("on") == "key" else "account"
    try:
        if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
            raise BadRequest("most: write a whole number", param="most")
        until_ms = instant_ms(visit.given("until"), "until", visit.zone, end=True)
    except BadRequest as trouble:
        return await _shown(visit, CleanedForm({}), trouble, "limit")
    raised = ticket_actions.raise_limit(
        visit.context.services,
        visit.actor,
        visit.id,
        kind=visit.given("kind"),
        most=int(digits),
        until_ms=until_ms,
        on=on,
    )
    return await _done(visit, raised, "limit")


@page("POST /console/platform/tickets/{id}/rotate", may="tickets.rotate")
async def rotate(visit: Visit) -> Answer:
    hours = _ENDS_IN_HOURS.get(visit.given("ends"), 0)
    until_ms = visit.now_ms + hours * HOUR_MS if hours else None
    ended = ticket_actions.rotate(
        visit.context.services, visit.actor, visit.id, key=visit.given("key") or None, until_ms=until_ms
    )
    return await _done(visit, ended, "key")


@page("POST /console/platform/tickets/{id}/freeze", may="tickets.freeze")
async def freeze(visit: Visit) -> Answer:
    frozen = ticket_actions.freeze(visit.context.services, visit.actor, visit.id, key=visit.given("key") or None)
    return await _done(visit, frozen, "key")


async def _done(visit: Visit, deed: Awaitable[object], of: str) -> Answer:
    try:
        await deed
    except (*TROUBLE, PathNotFound) as trouble:
        return await _shown(visit, CleanedForm({}), trouble, of)
    return Elsewhere(f"{PATH}/{visit.id}")


async def _shown(visit: Visit, form: CleanedForm, trouble: Failure | None = None, of: str = "") -> Shown:
    """of: what the trouble is about. Raises PathNotFound."""
    values = await thread_values(visit, form, trouble)
    ticket = values["ticket"]
    assert isinstance(ticket, Ticket)
    services = visit.context.services
    keys = sorted(services.directory.keys_of(ticket.account_id), key=lambda one: -one.created_at_ms)
    values |= {
        "receipt": None,
        "of": of,
        "given": lambda name, where: visit.given(name) if where == of else "",
        "ticket_account": services.directory.accounts.get(ticket.account_id),
        "keys": [one for one in keys if one.state != "revoked" and one.mode != "admin"][:_KEYS_MAX],
        "key_id": "",
        "kinds": services.rules.names,
    }
    if ticket.request_id is not None:
        try:
            receipt = await receipt_values(visit, ticket.request_id)
        except PathNotFound:  # it is older than records are kept
            return Shown("platform_ticket.html", values, 200 if trouble is None else trouble.status)
        values |= receipt
    return Shown("platform_ticket.html", values, 200 if trouble is None else trouble.status)

"""/api/v1/tickets"""

from msgspec import Struct, structs

from tollhouse.core.ticket import Ticket, TicketEvent, TicketFields, TicketMessage, TicketSide, TicketState
from tollhouse.edge.admin.context import AdminContext
from tollhouse.edge.admin.credits import CreditObject, credit_object
from tollhouse.edge.admin.keys import KeyObject, key_object
from tollhouse.edge.admin.limits import LimitObject, limit_object
from tollhouse.edge.admin.objects import PageObject, fill, page_object
from tollhouse.edge.admin.route import ACCOUNT, PLATFORM, AdminRequest, NoParameters, route
from tollhouse.services import ticket_actions, tickets
from tollhouse.services.given.paging import Paging
from tollhouse.services.given.tickets import (
    NewTicket,
    NewTicketMessage,
    TicketKey,
    TicketLimit,
    TicketQuery,
    TicketRefund,
    TicketRotation,
)


class TicketObject(TicketFields, frozen=True, tag_field="object", tag="ticket"):
    """`turn`: who is to write next. `messages`: how many stand in the thread. `asked_at`: when the account wrote what
    waits for an answer, the first of it."""

    id: str
    account_id: str
    request_id: str | None
    state: TicketState
    turn: TicketSide
    messages: int
    created_at: str | None
    changed_at: str | None
    asked_at: str | None


class TicketMessageObject(Struct, frozen=True, kw_only=True, tag_field="object", tag="ticket_message"):
    """`author_id`: null for those who run the platform, where a customer asks. `event`: what was done, with `told`."""

    id: str
    side: TicketSide
    author_id: str | None
    text: str
    event: TicketEvent | None
    told: dict[str, str]
    created_at: str | None


class TicketThreadObject(TicketObject, frozen=True, tag_field="object", tag="ticket"):
    """`bundle`: what was known of the call when it was reported. `content`: what the customer chose to show of it.
    `thread`: the newest first; `next` is given back as `after` to read on."""

    bundle: dict[str, str]
    content: str | None
    thread: tuple[TicketMessageObject, ...]
    next: str | None


@route("tickets.list", "GET /api/v1/tickets", ACCOUNT, "Tickets, those that changed last first")
async def list_all(context: AdminContext, request: AdminRequest[TicketQuery]) -> PageObject[TicketObject]:
    return page_object(await tickets.list_page(context.services, request.actor, **request.given), ticket_object)


@route("tickets.create", "POST /api/v1/tickets", ACCOUNT, "Ask those who run the platform", status=201)
async def create(context: AdminContext, request: AdminRequest[NewTicket]) -> TicketObject:
    return ticket_object(await tickets.create(context.services, request.actor, **request.given))


@route("tickets.show", "GET /api/v1/tickets/{id}", ACCOUNT, "A ticket with its thread")
async def show(context: AdminContext, request: AdminRequest[Paging]) -> TicketThreadObject:
    found = await tickets.thread(context.services, request.actor, request.id, **request.given)
    is_platform = request.actor.account_id is None
    return fill(
        TicketThreadObject,
        found.ticket,
        bundle=dict(found.ticket.bundle),
        content=found.ticket.content or None,
        thread=tuple(_message_object(one, is_platform=is_platform) for one in found.page.records),
        next=found.page.next,
    )


@route("tickets.reply", "POST /api/v1/tickets/{id}/reply", ACCOUNT, "Write in a ticket", status=201)
async def reply(context: AdminContext, request: AdminRequest[NewTicketMessage]) -> TicketObject:
    return ticket_object(await tickets.reply(context.services, request.actor, request.id, **request.given))


@route("tickets.close", "POST /api/v1/tickets/{id}/close", ACCOUNT, "Close a ticket")
async def close(context: AdminContext, request: AdminRequest[NoParameters]) -> TicketObject:
    return ticket_object(await tickets.close(context.services, request.actor, request.id))


@route("tickets.refund", "POST /api/v1/tickets/{id}/refund", PLATFORM, "Give the charge of its call back")
async def refund(context: AdminContext, request: AdminRequest[TicketRefund]) -> CreditObject:
    entry = await ticket_actions.refund(context.services, request.actor, request.id, **request.given)
    return structs.replace(credit_object(entry), repeated=entry.transfer.time_ms < request.now_ms)


@route("tickets.limit", "POST /api/v1/tickets/{id}/limit", PLATFORM, "Raise a limit for a while")
async def limit(context: AdminContext, request: AdminRequest[TicketLimit]) -> PageObject[LimitObject]:
    put = await ticket_actions.raise_limit(context.services, request.actor, request.id, **request.given)
    return PageObject(data=tuple(map(limit_object, put)))


@route("tickets.rotate", "POST /api/v1/tickets/{id}/rotate", PLATFORM, "End a key's secret; its owner makes another")
async def rotate(context: AdminContext, request: AdminRequest[TicketRotation]) -> KeyObject:
    return key_object(await ticket_actions.rotate(context.services, request.actor, request.id, **request.given))


@route("tickets.freeze", "POST /api/v1/tickets/{id}/freeze", PLATFORM, "Refuse a key until it is unfrozen")
async def freeze(context: AdminContext, request: AdminRequest[TicketKey]) -> KeyObject:
    return key_object(await ticket_actions.freeze(context.services, request.actor, request.id, **request.given))


def ticket_object(ticket: Ticket) -> TicketObject:
    return fill(TicketObject, ticket)


def _message_object(one: TicketMessage, *, is_platform: bool) -> TicketMessageObject:
    hidden = one.side == "platform" and not is_platform
    return fill(TicketMessageObject, one, author_id=None if hidden else one.author_id, told=dict(one.told))

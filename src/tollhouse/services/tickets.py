"""Tickets: an account asks those who run the platform, and they answer. `ticket_actions` has what they do about it.

What a customer writes is kept without secrets: a text with an API key in it is refused, so that nobody but its owner
has it, and other secrets are taken out.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct, structs

from tollhouse.core.audit import Actor, AuditRow
from tollhouse.core.failure import BadRequest, Conflict, PathNotFound, RateLimited
from tollhouse.core.phrase import Phrase, translatable
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.ticket import CONTENT_MAX, TEXT_MAX, Ticket, TicketEvent, TicketMessage, TicketSide
from tollhouse.services import audit, fields, maxima, reach, receipts, ticket_mails
from tollhouse.services.choices import require_one_of
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.paging import Paging
from tollhouse.services.given.tickets import NewTicket, NewTicketMessage, TicketQuery
from tollhouse.services.pages import Page, read_page
from tollhouse.services.receipts import Receipt
from tollhouse.services.ticket_bundle import reported
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.pages import Cursor
from tollhouse.store.tables import SqlRepositories

WAITING_MAX: Final = 100
"""Tickets that wait are counted up to so many."""
_ROOM_FOR_EVENTS: Final = 50
_OPEN: Final = translatable("open tickets in this account")
_KEPT: Final = translatable("tickets in this account")
_TOO_MANY: Final = translatable("close those that are over")


class TicketThread(Struct, frozen=True, kw_only=True):
    """`page`: of what stands in it, the newest first. `writers`: mail addresses by the ids of people, those of one's
    own side alone; those who run the platform see both."""

    ticket: Ticket
    page: Page[TicketMessage]
    writers: Mapping[str, str]


@WithFieldsOf(NewTicket)
async def create(services: ServiceContext, actor: Actor, given: NewTicket) -> Ticket:
    """Ask. With a call, what its record holds goes along (`ticket_bundle`).

    Raises BadRequest, PathNotFound for a call or an account that is not there, Conflict where an account has enough
    open tickets, RateLimited.
    """
    subject = fields.subject(given.subject)
    text = fields.prose(given.text, "text", TEXT_MAX)
    content = fields.prose(given.content, "content", CONTENT_MAX) if given.content and given.content.strip() else ""
    require_one_of("language", given.language, ("en", *services.languages))
    account_id, receipt = await _about(services, actor, given)
    _admit(services, actor)
    bundle = {} if receipt is None else await reported(services, actor, receipt, given.language or "en")
    now_ms, ticket_id = services.moment_ms(), services.new_id("tkt")
    ticket = Ticket(
        id=ticket_id,
        account_id=account_id,
        subject=subject,
        request_id=given.request_id,
        turn=other(side_of(actor)),
        bundle=bundle,
        content=content,
        opened_by=actor.id,
        messages=1,
        created_at_ms=now_ms,
        changed_at_ms=now_ms,
        asked_at_ms=now_ms,
    )
    told = {"subject": subject} if given.request_id is None else {"subject": subject, "request_id": given.request_id}
    row = audit.entry(services, actor, "ticket.create", ticket_id, account_id=account_id, after=told)
    message = _message(services, actor, ticket, text)

    def transaction(tables: SqlRepositories) -> Ticket:
        _require_room(services, tables, actor, account_id)
        if actor.account_id is not None:
            cure = Phrase("closed ones are deleted after %(days)s days", days=services.ticket_retention_days)
            there_are = tables.tickets.kept_of(account_id, maxima.TICKETS_KEPT_MAX)
            maxima.require_room(there_are, maxima.TICKETS_KEPT_MAX, _KEPT, cure)
        tables.tickets.add(ticket)
        tables.ticket_messages.add(message)
        tables.audit.add(row)
        ticket_mails.tell(services, tables, actor, ticket, message.side)
        return ticket

    return await services.rows.change(transaction, lambda _: services.news.set())


@WithFieldsOf(TicketQuery)
async def list_page(services: ServiceContext, actor: Actor, given: TicketQuery) -> Page[Ticket]:
    """Those that changed last are first, or those that wait longest. Raises PathNotFound, BadRequest."""
    account_id = reach.narrowed(services, actor, given.account)
    if given.order == "waiting":
        if given.state == "closed" or given.turn == "account":
            raise BadRequest("order: only open tickets whose turn is the platform's wait", param="order")
        return await read_page(
            services, given, lambda tables: tables.tickets.longest_waiting, _asked_by, account_id=account_id
        )
    within = {"account_id": account_id, "state": given.state, "turn": given.turn}
    return await read_page(services, given, lambda tables: tables.tickets.page, _newest_by, **within)


async def waiting(services: ServiceContext) -> int:
    """How many open tickets wait for those who run the platform, up to WAITING_MAX."""
    return await services.rows.read(lambda tables: tables.tickets.waiting(WAITING_MAX))


@WithFieldsOf(Paging)
async def thread(services: ServiceContext, actor: Actor, ticket_id: str, given: Paging) -> TicketThread:
    """A ticket with what stands in it. Raises PathNotFound: word for word the same for another account's."""
    ticket = await services.rows.read(lambda tables: find(tables, actor, ticket_id))
    page = await read_page(services, given, lambda tables: tables.ticket_messages.page, ticket_id=ticket.id)
    sides = (actor.account_id is None, "platform"), (True, "account")
    seen = {side for shown, side in sides if shown}
    ids = {one.author_id for one in page.records if one.author_kind == "person" and one.side in seen}
    people = await services.rows.read(lambda tables: tables.people.with_ids(sorted(ids)))
    return TicketThread(ticket=ticket, page=page, writers={one.id: one.email for one in people})


@WithFieldsOf(NewTicketMessage)
async def reply(services: ServiceContext, actor: Actor, ticket_id: str, given: NewTicketMessage) -> Ticket:
    """Write in the thread, which opens the ticket again where it was closed; it is the other side's turn then.

    Raises BadRequest, PathNotFound, Conflict where the thread is full, RateLimited.
    """
    if given.text is None:  # before that is told, whose thread it is
        await services.rows.read(lambda tables: find(tables, actor, ticket_id))
    text = fields.prose(given.text or "", "text", TEXT_MAX)
    _admit(services, actor)
    row, side = audit.entry(services, actor, "ticket.reply", ticket_id), side_of(actor)

    def transaction(tables: SqlRepositories) -> Ticket:
        before = find(tables, actor, ticket_id)
        if before.messages >= maxima.MESSAGES_MAX - _ROOM_FOR_EVENTS:
            raise Conflict(
                Phrase("the thread has %(count)s messages: open another ticket", count=before.messages), param="text"
            )
        _require_room(services, tables, actor, before.account_id, is_open=before.state == "open")
        waits = (before.state, before.turn) == ("open", "platform")
        asked_at_ms = before.asked_at_ms if waits or side == "platform" else services.moment_ms()
        after = structs.replace(before, state="open", turn=other(side), asked_at_ms=asked_at_ms)
        after = _add(services, tables, after, _message(services, actor, after, text))
        tables.audit.add(_audited(row, before, after))
        ticket_mails.tell(services, tables, actor, after, side)
        return after

    return await services.rows.change(transaction, lambda _: services.news.set())


async def close(services: ServiceContext, actor: Actor, ticket_id: str) -> Ticket:
    """Nobody has to answer any more. Closing twice changes nothing. Raises PathNotFound."""
    row = audit.entry(services, actor, "ticket.close", ticket_id)

    def transaction(tables: SqlRepositories) -> Ticket:
        before = find(tables, actor, ticket_id)
        if before.state == "closed":
            return before
        after = tell_event(services, tables, actor, structs.replace(before, state="closed"), "close", {})
        tables.audit.add(_audited(row, before, after))
        return after

    return await services.rows.change(transaction, lambda _: services.news.set())


def find(tables: SqlRepositories, actor: Actor, ticket_id: str) -> Ticket:
    """Within a transaction. Raises PathNotFound."""
    found = tables.tickets.get(ticket_id)
    if found is None or actor.account_id not in (None, found.account_id):
        raise PathNotFound(Phrase("no ticket %(ticket)s", ticket=reach.shown(ticket_id)))
    return found


def tell_event(
    services: ServiceContext,
    tables: SqlRepositories,
    actor: Actor,
    ticket: Ticket,
    event: TicketEvent,
    told: Mapping[str, str],
    event_id: str | None = None,
) -> Ticket:
    """Within a transaction: what was done stands in the thread, and the other side is told. event_id: what makes it one
    and the same event, which is told once; None: it is a new one. Raises Conflict."""
    if event_id is not None and tables.ticket_messages.get(event_id) is not None:
        return ticket
    if ticket.messages >= maxima.MESSAGES_MAX and event != "close":
        raise Conflict(Phrase("the thread has %(count)s messages: open another ticket", count=ticket.messages))
    happened = structs.replace(_message(services, actor, ticket, ""), event=event, told=dict(told))
    if event_id is not None:
        happened = structs.replace(happened, id=event_id)
    after = _add(services, tables, ticket, happened)
    ticket_mails.tell(services, tables, actor, after, happened.side, event, told)
    return after


def side_of(actor: Actor) -> TicketSide:
    return "platform" if actor.account_id is None else "account"


def other(side: TicketSide) -> TicketSide:
    return "account" if side == "platform" else "platform"


async def _about(services: ServiceContext, actor: Actor, given: NewTicket) -> tuple[str, Receipt | None]:
    """Whose ticket it is, and the receipt of its call. Raises PathNotFound."""
    if given.request_id is None:
        return reach.account_or_own(services, actor, given.account).id, None
    receipt = await receipts.show(services, actor, given.request_id)
    account_id = receipt.call.account_id
    if given.account is not None and reach.account(services, actor, given.account).id != account_id:
        raise PathNotFound(Phrase("no request %(request)s", request=reach.shown(given.request_id)))
    return account_id, receipt


def _admit(services: ServiceContext, actor: Actor) -> None:
    """Count a text on whoever writes it. Raises RateLimited."""
    if actor.kind != "operator":  # whoever may open the control socket
        address = None if actor.account_id is None else actor.address  # those who answer sit in one place
        services.writing.admit(actor.id, address, services.clock.now_ms())


def _require_room(
    services: ServiceContext, tables: SqlRepositories, actor: Actor, account_id: str, *, is_open: bool = False
) -> None:
    """For one more text of an account. Raises Conflict, RateLimited."""
    if actor.account_id is None:
        return
    if not is_open:
        there_are = tables.tickets.open_of(account_id)
        maxima.require_room(there_are, maxima.TICKETS_MAX, _OPEN, _TOO_MANY)
    if not tables.sendings.admit("ticket", account_id, services.clock.now_ms()):
        raise RateLimited("The account has written enough in its tickets today.", retry_after_ms=DAY_MS)


def _message(services: ServiceContext, actor: Actor, ticket: Ticket, text: str) -> TicketMessage:
    return TicketMessage(
        id=services.new_id("tmg"),
        ticket_id=ticket.id,
        side=side_of(actor),
        author_id=actor.id,
        author_kind=actor.kind,
        text=text,
        created_at_ms=services.moment_ms(),
    )


def _add(services: ServiceContext, tables: SqlRepositories, ticket: Ticket, one: TicketMessage) -> Ticket:
    after = structs.replace(ticket, messages=ticket.messages + 1, changed_at_ms=one.created_at_ms)
    tables.ticket_messages.add(one)
    tables.tickets.save(after)
    return after


def _audited(row: AuditRow, before: Ticket, after: Ticket) -> AuditRow:
    """What changed of it, but for what people wrote."""
    told = {"state": before.state, "turn": before.turn}, {"state": after.state, "turn": after.turn}
    return structs.replace(row, account_id=after.account_id, before=told[0], after=told[1])


def _newest_by(ticket: Ticket) -> Cursor:
    return ticket.changed_at_ms, ticket.id


def _asked_by(ticket: Ticket) -> Cursor:
    return ticket.asked_at_ms, ticket.id

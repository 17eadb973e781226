"""What those who run the platform do about a ticket: give a call's charge back, raise a limit for a while, end the
secret of a key, stop it. Each is done by the service of its own, is audited there, and stands in the thread as an
event.

The deed comes first, the event behind it: where the process ends between the two, the audit alone tells it. A refund
that is asked for again writes the event that is missing.
"""

from tollhouse.billing.ledger import Entry
from tollhouse.core.account import ApiKey
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest
from tollhouse.core.instant import utc_day
from tollhouse.core.ticket import Ticket, TicketEvent
from tollhouse.services import credits as credit
from tollhouse.services import keys, limits, reach, tickets
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.tickets import TicketKey, TicketRefund
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories


@WithFieldsOf(TicketRefund)
async def refund(services: ServiceContext, actor: Actor, ticket_id: str, given: TicketRefund) -> Entry:
    """Give back what the ticket's call was charged, or a part of it. Raises as `credits.refund`, and PathNotFound."""
    ticket = await _ticket(services, actor, ticket_id)
    if ticket.request_id is None:
        raise BadRequest("request_id: this ticket is about no call", param="request_id")
    entry = await credit.refund(
        services, actor, request_id=ticket.request_id, amount_usd=given.amount_usd, reason=f"ticket {ticket.id}"
    )
    moved = entry.transfer
    event_id = f"tmg_{moved.id.partition('_')[2]}"
    await _tell(services, actor, ticket, "refund", {"usd": format_usd(moved.amount)}, event_id)
    return entry


async def raise_limit(
    services: ServiceContext, actor: Actor, ticket_id: str, *, kind: str, most: int, until_ms: int, on: str = "account"
) -> tuple[limits.LimitUsage, ...]:
    """Another limit holds until then, on the account or on the key of the call; afterwards the one before. Raises
    PathNotFound, BadRequest."""
    ticket = await _ticket(services, actor, ticket_id)
    place = {"key": (await _key(services, actor, ticket, None)).id} if on == "key" else {"account": ticket.account_id}
    put = await limits.put(services, actor, {kind: most}, until_ms=until_ms, note=f"ticket {ticket.id}", **place)
    told = {"kind": kind, "most": str(most), "until": utc_day(until_ms), "on": on}
    await _tell(services, actor, ticket, "limit", told)
    return put


@WithFieldsOf(TicketKey)
async def rotate(services: ServiceContext, actor: Actor, ticket_id: str, given: TicketKey) -> ApiKey:
    """The key's secret ends at once. The new one is shown to nobody: whoever owns the key makes another, and their key
    keeps its id, limits and history. Raises PathNotFound, BadRequest, Conflict."""
    ticket = await _ticket(services, actor, ticket_id)
    key = await _key(services, actor, ticket, given.key)
    made = await keys.rotate(services, actor, key.id)
    await _tell(services, actor, ticket, "rotate", _told(key))
    return made.key


@WithFieldsOf(TicketKey)
async def freeze(services: ServiceContext, actor: Actor, ticket_id: str, given: TicketKey) -> ApiKey:
    """The key is refused until its owner, or the operator, unfreezes it. Raises PathNotFound, Conflict."""
    ticket = await _ticket(services, actor, ticket_id)
    key = await _key(services, actor, ticket, given.key)
    frozen = await keys.freeze(services, actor, key.id, f"ticket {ticket.id}")
    await _tell(services, actor, ticket, "freeze", _told(key))
    return frozen


async def _ticket(services: ServiceContext, actor: Actor, ticket_id: str) -> Ticket:
    """Raises ScopeMissing, PathNotFound."""
    reach.require_operator(actor, "do something about a ticket")
    return await services.rows.read(lambda tables: tickets.find(tables, actor, ticket_id))


async def _key(services: ServiceContext, actor: Actor, ticket: Ticket, reference: str | None) -> ApiKey:
    """The one named, of the ticket's account; else that of its call. Raises PathNotFound, BadRequest."""
    if reference is None and ticket.request_id is not None:
        request_id = ticket.request_id
        call = await services.rows.read(lambda tables: tables.requests.get(request_id))
        reference = None if call is None else call.key_id
    if reference is None:
        raise BadRequest("key: say which key, by its id or name", param="key")
    return reach.key(services, actor, reference, ticket.account_id)


def _told(key: ApiKey) -> dict[str, str]:
    return {"key": key.id, "last4": key.secrets[0].last4 if key.secrets else ""}


async def _tell(
    services: ServiceContext,
    actor: Actor,
    ticket: Ticket,
    event: TicketEvent,
    told: dict[str, str],
    event_id: str | None = None,
) -> None:
    def transaction(tables: SqlRepositories) -> None:
        standing = tickets.find(tables, actor, ticket.id)
        tickets.tell_event(services, tables, actor, standing, event, told, event_id)

    await services.rows.change(transaction, lambda _: services.news.set())

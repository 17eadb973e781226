"""What those who run the platform do about a ticket: give a call's charge back, raise a limit for a while, end the
secret of a key, stop it. Each is done by the service of its own, is audited there, and stands in the thread as an
event: in one transaction, so that neither is ever without the other.
"""

from collections.abc import Callable

from tollhouse.billing.ledger import Entry
from tollhouse.core.account import ApiKey
from tollhouse.core.amount import format_usd
from tollhouse.core.audit import Actor
from tollhouse.core.failure import BadRequest
from tollhouse.core.instant import utc_day
from tollhouse.core.ticket import Ticket, TicketEvent
from tollhouse.services import credits as credit
from tollhouse.services import keys, limits, reach, rotation, tickets
from tollhouse.services.context import ServiceContext
from tollhouse.services.given.credits import NewRefund
from tollhouse.services.given.tickets import TicketKey, TicketRefund
from tollhouse.services.with_fields import WithFieldsOf
from tollhouse.store.tables import SqlRepositories

Tell = Callable[[SqlRepositories, TicketEvent, dict[str, str]], None]
"""Write an event into the thread, within the transaction of what was done."""


@WithFieldsOf(TicketRefund)
async def refund(services: ServiceContext, actor: Actor, ticket_id: str, given: TicketRefund) -> Entry:
    """Give back what the ticket's call was charged, or a part of it. Raises as `credits.refund`, and PathNotFound."""
    ticket = await _ticket(services, actor, ticket_id)
    if ticket.request_id is None:
        raise BadRequest("request_id: this ticket is about no call", param="request_id")
    asked = NewRefund(request_id=ticket.request_id, amount_usd=given.amount_usd, reason=f"ticket {ticket.id}")

    def also(tables: SqlRepositories, entry: Entry) -> None:
        """A call is refunded once, and told so once, however often it is asked for."""
        moved = entry.transfer
        event_id = f"tmg_{moved.id.partition('_')[2]}"
        standing = tickets.find(tables, actor, ticket.id)
        told = {"usd": format_usd(moved.amount)}
        tickets.tell_event(services, tables, actor, standing, "refund", told, event_id)

    entry = await credit.refund_and(services, actor, asked, also)
    services.news.set()
    return entry


async def raise_limit(
    services: ServiceContext, actor: Actor, ticket_id: str, *, kind: str, most: int, until_ms: int, on: str = "account"
) -> tuple[limits.LimitUsage, ...]:
    """Another limit holds until then, on the account or on the key of the call; afterwards the one before. Raises
    PathNotFound, BadRequest, Conflict."""
    ticket = await _ticket(services, actor, ticket_id)
    place = {"key": (await _key(services, actor, ticket, None)).id} if on == "key" else {"account": ticket.account_id}
    wanted = limits.LimitsToSet(maximum={kind: most}, until_ms=until_ms, note=f"ticket {ticket.id}", **place)
    told = {"kind": kind, "most": str(most), "until": utc_day(until_ms), "on": on}
    tell = _teller(services, actor, ticket)
    put = await limits.put_and(services, actor, wanted, lambda tables: tell(tables, "limit", told))
    services.news.set()
    return put


async def rotate(
    services: ServiceContext, actor: Actor, ticket_id: str, *, key: str | None = None, until_ms: int | None = None
) -> ApiKey:
    """The key's secret ends, at once or at an instant of the next seven days, and whoever administers the account makes
    another by one click in the thread: nobody but them sees it, and nothing of it is kept. The key keeps its id, limits
    and history. Raises PathNotFound, BadRequest, Conflict."""
    ticket, now_ms = await _ticket(services, actor, ticket_id), services.clock.now_ms()
    found = await _key(services, actor, ticket, key)
    if until_ms is not None and until_ms - now_ms > rotation.OVERLAP_MS_MAX:
        raise BadRequest("until: at most 7 days from now", param="until")
    told = _told(found) | ({} if until_ms is None else {"until": utc_day(until_ms)})
    tell = _teller(services, actor, ticket)
    ended = await keys.end_secrets(
        services, actor, found.id, until_ms or now_ms, lambda tables, _: tell(tables, "rotate", told)
    )
    services.news.set()
    return ended


@WithFieldsOf(TicketKey)
async def freeze(services: ServiceContext, actor: Actor, ticket_id: str, given: TicketKey) -> ApiKey:
    """The key is refused until its owner, or the operator, unfreezes it. Raises PathNotFound, Conflict."""
    ticket = await _ticket(services, actor, ticket_id)
    key = await _key(services, actor, ticket, given.key)
    tell = _teller(services, actor, ticket)
    frozen = await keys.freeze(
        services, actor, key.id, f"ticket {ticket.id}", lambda tables, _: tell(tables, "freeze", _told(key))
    )
    services.news.set()
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


def _teller(services: ServiceContext, actor: Actor, ticket: Ticket) -> Tell:
    def tell(tables: SqlRepositories, event: TicketEvent, told: dict[str, str]) -> None:
        """Raises Conflict where the thread is full: then nothing is done either."""
        standing = tickets.find(tables, actor, ticket.id)
        tickets.tell_event(services, tables, actor, standing, event, told)

    return tell

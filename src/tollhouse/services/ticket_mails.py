"""Who is told of what happens in a ticket: the other side of it, by a mail that leads to the thread."""

from collections.abc import Mapping
from typing import Final

from tollhouse.access.roles import PLATFORM
from tollhouse.core.audit import Actor
from tollhouse.core.notice import Delivery, Notice
from tollhouse.core.ticket import Ticket, TicketEvent, TicketSide
from tollhouse.services.context import ServiceContext
from tollhouse.store.tables import SqlRepositories

READERS_MAX: Final = 20
SUPPORT: Final = "support"
"""In whose line mails wait for those who run the platform: no account's, whose members would see their addresses."""
_ANSWERING: Final = tuple(role for role, actions in PLATFORM.items() if "tickets.reply" in actions)


def tell(
    services: ServiceContext,
    tables: SqlRepositories,
    actor: Actor,
    ticket: Ticket,
    side: TicketSide,
    event: TicketEvent | None = None,
    told: Mapping[str, str] | None = None,
) -> None:
    """Within a transaction. side: who did it; the other one is told. What is beyond what an account may cause in a day
    is not sent: the thread shows it all the same."""
    now_ms = services.clock.now_ms()
    readers = _of_account(tables, ticket, actor) if side == "platform" else _of_platform(services, tables, actor)
    if side == "account":
        allowed = readers if readers and tables.sendings.admit("asking", ticket.account_id, now_ms) else []
    else:
        allowed = [one for one in readers if tables.sendings.admit("recipient", one.lower(), now_ms)]
    if not allowed:
        return
    notice = Notice(
        id=services.new_id("msg"),
        type="ticket.asked" if side == "account" else "ticket.answered",
        object_id=ticket.id,
        episode=services.moment_ms(),
        mark=0,
        account_id=SUPPORT if side == "account" else ticket.account_id,
        time_ms=now_ms,
        data={} if event is None else {"event": event, **(told or {})},
    )
    way = Delivery(id=f"{notice.id}_1", notice_id=notice.id, channel="mail", address=", ".join(allowed))
    tables.outbox.add_way(notice, way)


def _of_account(tables: SqlRepositories, ticket: Ticket, actor: Actor) -> list[str]:
    """Members who wrote in the thread; where none of them is there any more, the owners."""
    wrote = tables.ticket_messages.writers(ticket.id, "account", READERS_MAX)
    people = tables.people.with_ids([one for one in wrote if one != actor.id])
    found = [one.email for one in people if one.state == "active" and one.account_id == ticket.account_id]
    return found or list(dict.fromkeys(tables.outbox.owners(ticket.account_id)))[:READERS_MAX]


def _of_platform(services: ServiceContext, tables: SqlRepositories, actor: Actor) -> list[str]:
    """The addresses of `[support]`; without any, whoever may answer."""
    if services.support_mails:
        return list(services.support_mails)[:READERS_MAX]
    return [one.email for one in tables.people.who_run(_ANSWERING, READERS_MAX) if one.id != actor.id]

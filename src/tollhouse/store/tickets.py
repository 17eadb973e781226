"""Rows of tickets, and of what stands in their threads."""

from sqlalchemy import func, select

from tollhouse.core.ticket import Ticket, TicketMessage
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.tickets_schema import ticket_messages, tickets


class SqlTicketRepository(SqlRecordRepository[Ticket]):
    table, kind = tickets, Ticket
    newest_by = "changed_at_ms"

    def open_of(self, account_id: str) -> int:
        """How many of an account are open."""
        question = select(func.count()).where(tickets.c.account_id == account_id, tickets.c.state == "open")
        return int(self._connection.execute(question).scalar_one())

    def waiting(self, most: int) -> int:
        """How many wait for those who run the platform; they are counted up to `most`."""
        waits = select(tickets.c.id).where(tickets.c.state == "open", tickets.c.turn == "platform").limit(most)
        return int(self._connection.execute(select(func.count()).select_from(waits.subquery())).scalar_one())


class SqlTicketMessageRepository(SqlRecordRepository[TicketMessage]):
    table, kind = ticket_messages, TicketMessage

    def writers(self, ticket_id: str, side: str, most: int) -> list[str]:
        """Ids of the people of one side who wrote in a thread."""
        wrote = ticket_messages.c.ticket_id == ticket_id, ticket_messages.c.side == side
        question = select(ticket_messages.c.author_id).distinct()
        people = question.where(*wrote, ticket_messages.c.author_kind == "person").limit(most)
        return list(self._connection.execute(people).scalars())

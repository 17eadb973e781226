"""Rows of tickets, and of what stands in their threads."""

from sqlalchemy import delete, func, select, tuple_

from tollhouse.core.ticket import Ticket, TicketMessage
from tollhouse.store.pages import Cursor
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.tickets_schema import ticket_messages, tickets


class SqlTicketRepository(SqlRecordRepository[Ticket]):
    table, kind = tickets, Ticket
    newest_by = "changed_at_ms"

    def open_of(self, account_id: str) -> int:
        """How many of an account are open."""
        question = select(func.count()).where(tickets.c.account_id == account_id, tickets.c.state == "open")
        return int(self._connection.execute(question).scalar_one())

    def kept_of(self, account_id: str, most: int) -> int:
        """How many of an account there are, closed ones too; they are counted up to `most`."""
        of_account = select(tickets.c.id).where(tickets.c.account_id == account_id).limit(most)
        return int(self._connection.execute(select(func.count()).select_from(of_account.subquery())).scalar_one())

    def waiting(self, most: int) -> int:
        """How many wait for those who run the platform; they are counted up to `most`."""
        waits = select(tickets.c.id).where(tickets.c.state == "open", tickets.c.turn == "platform").limit(most)
        return int(self._connection.execute(select(func.count()).select_from(waits.subquery())).scalar_one())

    def longest_waiting(self, *, before: Cursor | None, limit: int, account_id: str | None = None) -> list[Ticket]:
        """Open ones that wait for those who run the platform, the longest first. before: where the page before
        ended."""
        question = select(tickets).where(tickets.c.state == "open", tickets.c.turn == "platform")
        if account_id is not None:
            question = question.where(tickets.c.account_id == account_id)
        if before is not None:
            question = question.where(tuple_(tickets.c.asked_at_ms, tickets.c.id) > tuple_(*before))
        return self._found(question.order_by(tickets.c.asked_at_ms, tickets.c.id).limit(limit))

    def delete_closed(self, before_ms: int, limit: int) -> int:
        """Delete closed ones that nothing has changed since, with their threads, at most so many; how many there
        were."""
        old = select(tickets.c.id).where(tickets.c.state == "closed", tickets.c.changed_at_ms < before_ms)
        ids = list(self._connection.execute(old.order_by(tickets.c.changed_at_ms).limit(limit)).scalars())
        if ids:
            self._connection.execute(delete(ticket_messages).where(ticket_messages.c.ticket_id.in_(ids)))
            self._connection.execute(delete(tickets).where(tickets.c.id.in_(ids)))
        return len(ids)


class SqlTicketMessageRepository(SqlRecordRepository[TicketMessage]):
    table, kind = ticket_messages, TicketMessage

    def writers(self, ticket_id: str, side: str, most: int) -> list[str]:
        """Ids of the people of one side who wrote in a thread."""
        wrote = ticket_messages.c.ticket_id == ticket_id, ticket_messages.c.side == side
        question = select(ticket_messages.c.author_id).distinct()
        people = question.where(*wrote, ticket_messages.c.author_kind == "person").limit(most)
        return list(self._connection.execute(people).scalars())

"""The tables of tickets and of what stands in their threads; see `schema`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from tollhouse.store.schema import metadata

tickets = Table(
    "tickets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("subject", Text, nullable=False),
    Column("request_id", Text),
    Column("state", Text, nullable=False),
    Column("turn", Text, nullable=False),
    Column("bundle", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("messages", BigInteger, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Column("asked_at_ms", BigInteger, nullable=False, server_default="0"),
    Index("ix_tickets_changed", "changed_at_ms", "id"),
    Index("ix_tickets_account", "account_id", "changed_at_ms", "id"),
    Index("ix_tickets_turn", "state", "turn", "changed_at_ms", "id"),
    Index("ix_tickets_asked", "state", "turn", "asked_at_ms", "id"),
)

ticket_messages = Table(
    "ticket_messages",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ticket_id", Text, ForeignKey("tickets.id"), nullable=False),
    Column("side", Text, nullable=False),
    Column("author_id", Text, nullable=False),
    Column("author_kind", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("event", Text),
    Column("told", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_ticket_messages_ticket", "ticket_id", "created_at_ms", "id"),
)

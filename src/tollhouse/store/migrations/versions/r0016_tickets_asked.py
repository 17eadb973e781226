"""Since when a ticket waits for those who run the platform."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("tickets", sa.Column("asked_at_ms", sa.BigInteger, nullable=False, server_default="0"))
    op.execute("UPDATE tickets SET asked_at_ms = changed_at_ms")
    op.create_index("ix_tickets_asked", "tickets", ["state", "turn", "asked_at_ms", "id"])

"""What waits to leave, by account; what was sent, by day; mail addresses that their readers have to confirm."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

# What budgets tell already goes on being told.
_KNOWN = """
INSERT INTO mail_addresses (account_id, address, asked_at_ms, confirmed_at_ms, confirmed_by)
SELECT account_id, lower(mail), min(created_at_ms), min(created_at_ms), 'before' FROM budgets
WHERE mail IS NOT NULL GROUP BY account_id, lower(mail)
"""


def upgrade() -> None:
    waiting = sa.text("state = 'pending'")
    op.create_index(
        "ix_deliveries_lines",
        "deliveries",
        ["channel", "account_id", "due_ms", "time_ms", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "sendings",
        sa.Column("day_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("day_ms", "kind", "subject", name="pk_sendings"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mail_addresses",
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("token", sa.Text),
        sa.Column("asked_at_ms", sa.BigInteger, nullable=False),
        sa.Column("confirmed_at_ms", sa.BigInteger),
        sa.Column("confirmed_by", sa.Text),
        sa.PrimaryKeyConstraint("account_id", "address", name="pk_mail_addresses"),
    )
    op.create_index("uq_mail_addresses_token", "mail_addresses", ["token"], unique=True)
    op.execute(_KNOWN)

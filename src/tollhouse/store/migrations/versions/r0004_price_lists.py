"""What accounts pay by, and price files as drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("accounts", sa.Column("price_list", sa.Text, nullable=False, server_default=sa.text("'default'")))
    op.add_column(
        "accounts", sa.Column("multiplier_ppm", sa.BigInteger, nullable=False, server_default=sa.text("1000000"))
    )
    op.add_column("accounts", sa.Column("groups", sa.Text, nullable=False, server_default=sa.text("'[]'")))
    op.add_column("prices", sa.Column("draft_id", sa.Text))
    op.drop_index("uq_prices_place", "prices")
    op.create_index("ix_prices_place", "prices", ["price_list", "model", "effective_from_ms"])
    op.create_table(
        "price_drafts",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("price_list", sa.Text, nullable=False),
        sa.Column("written", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("activated_at_ms", sa.BigInteger),
        sa.Column("effective_from_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_price_drafts"),
    )
    op.create_index("ix_price_drafts_created", "price_drafts", ["created_at_ms", "id"])

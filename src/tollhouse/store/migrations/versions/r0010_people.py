"""What people set for themselves, their second factor, from where they signed in; links that are mailed to them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    for column in (
        sa.Column("language", sa.Text),
        sa.Column("theme", sa.Text, nullable=False, server_default="system"),
        sa.Column("factor", sa.Text, nullable=False, server_default="optional"),
        sa.Column("totp", sa.Text),
        sa.Column("totp_step", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("recovery", sa.Text, nullable=False, server_default="[]"),
        sa.Column("networks", sa.Text, nullable=False, server_default="[]"),
        sa.Column("signed_in_at_ms", sa.BigInteger),
        sa.Column("signed_in_from", sa.Text),
        sa.Column("signed_in_with", sa.Text),
    ):
        op.add_column("people", column)
    op.create_index("ix_people_account", "people", ["account_id", "created_at_ms"])
    for name, kind in (("before_at_ms", sa.BigInteger), ("before_address", sa.Text), ("before_browser", sa.Text)):
        op.add_column("sessions", sa.Column(name, kind))
    op.create_table(
        "mailed_links",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("person_id", sa.Text),
        sa.Column("account_id", sa.Text),
        sa.Column("role", sa.Text),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_mailed_links"),
    )
    op.create_index("ix_mailed_links_email", "mailed_links", ["email"])
    op.create_index("ix_mailed_links_account", "mailed_links", ["account_id"])
    op.create_index("ix_mailed_links_expires", "mailed_links", ["expires_at_ms"])
    op.create_table(
        "link_tokens",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("link_id", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_link_tokens"),
    )
    op.create_index("ix_link_tokens_link", "link_tokens", ["link_id"])

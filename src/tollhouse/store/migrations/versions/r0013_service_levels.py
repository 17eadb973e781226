"""How well models served, by span of time."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "service_levels",
        sa.Column("span_ms", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("start_ms", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("good", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("answers", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("generating_ms", sa.BigInteger, nullable=False),
        sa.Column("first", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("span_ms", "start_ms", "model", name="pk_service_levels"),
        sqlite_with_rowid=False,
    )

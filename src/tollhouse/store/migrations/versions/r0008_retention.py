"""How far the records of calls have been deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "retention",
        sa.Column("before_ms", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("deleted", sa.BigInteger, nullable=False),
        sa.Column("ended_at_ms", sa.BigInteger),
        sa.Column("next_at_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("before_ms", name="pk_retention"),
    )

"""Searches that providers ran for calls, beside the other units."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    for table in ("usage", "usage_tags", "account_usage"):
        op.add_column(table, sa.Column("searches", sa.BigInteger, nullable=False, server_default="0"))

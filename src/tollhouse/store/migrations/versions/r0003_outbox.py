"""Notices that leave the house."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "notices",
        *(_text(name) for name in ("type", "object_id")),
        *(_number(name) for name in ("episode", "mark")),
        *(_text(name) for name in ("id", "account_id")),
        _number("time_ms"),
        _text("data"),
        sa.PrimaryKeyConstraint("type", "object_id", "episode", "mark", name="pk_notices"),
    )
    op.create_index("uq_notices_id", "notices", ["id"], unique=True)
    op.create_table(
        "deliveries",
        *(_text(name) for name in ("id", "notice_id", "account_id")),
        _number("time_ms"),
        *(_text(name) for name in ("channel", "address")),
        _text("budget_id", nullable=True),
        _text("state"),
        *(_number(name) for name in ("attempts", "due_ms")),
        _number("ended_at_ms", nullable=True),
        _text("answer", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_time", "deliveries", ["time_ms", "id"])
    op.create_index("ix_deliveries_account", "deliveries", ["account_id", "time_ms", "id"])
    waiting = sa.text("state = 'pending'")
    op.create_index("ix_deliveries_waiting", "deliveries", ["due_ms"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_table(
        "webhook_secrets",
        *(_text(name) for name in ("budget_id", "url", "secret")),
        sa.Column("shown", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("budget_id", name="pk_webhook_secrets"),
    )
    # Which budgets have thresholds is asked again and again.
    told = sa.text("soft <> '[]'")
    op.create_index("ix_budgets_soft", "budgets", ["id"], sqlite_where=told, postgresql_where=told)


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable)

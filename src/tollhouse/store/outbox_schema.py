"""The tables of what leaves the house; the others stand in `schema`."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, Text, text

from tollhouse.store.schema import metadata

# What people are told: once per line that was crossed, in the transaction that crossed it.
notices = Table(
    "notices",
    metadata,
    Column("type", Text, primary_key=True),
    Column("object_id", Text, primary_key=True),
    Column("episode", BigInteger, primary_key=True, autoincrement=False),
    Column("mark", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    Index("uq_notices_id", "id", unique=True),
)

# The ways on which a notice leaves. `due_ms`: when it is tried next, or when the claim of whoever tries it lapses.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("notice_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("budget_id", Text),
    Column("state", Text, nullable=False),
    Column("attempts", BigInteger, nullable=False),
    Column("due_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger),
    Column("answer", Text),
    Index("ix_deliveries_time", "time_ms", "id"),
    Index("ix_deliveries_account", "account_id", "time_ms", "id"),
    # Of all that was ever sent, the few that wait.
    Index(
        "ix_deliveries_waiting",
        "due_ms",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
)

# What the webhook of a budget is signed with. Apart from the budget, which is shown and audited.
webhook_secrets = Table(
    "webhook_secrets",
    metadata,
    Column("budget_id", Text, primary_key=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("shown", Boolean, nullable=False),
)

"""The tables of what leaves the platform; the others stand in `schema`."""

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
    ),
    # The same by account, so that nobody's choice costs more for what another has waiting.
    Index(
        "ix_deliveries_lines",
        *("channel", "account_id", "due_ms", "time_ms", "id"),
        sqlite_where=text("state = 'pending'"),
    ),
)

# What accounts have caused to be sent, by day of UTC: limits.sending has the kinds and bounds. `subject`: an account or
# a mail address.
sendings = Table(
    "sendings",
    metadata,
    Column("day_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Mail addresses outside an account that it has named, with what their readers confirm by.
mail_addresses = Table(
    "mail_addresses",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("token", Text),
    Column("asked_at_ms", BigInteger, nullable=False),
    Column("confirmed_at_ms", BigInteger),
    Column("confirmed_by", Text),
    Index("uq_mail_addresses_token", "token", unique=True),
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

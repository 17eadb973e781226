"""The tables as they stand today. `migrations/` leads there from any older state; a test proves that both agree.

Times are Unix milliseconds, money is nano-USD, lists and maps are JSON text written and read by msgspec: both
databases then hold the same bytes, and neither is asked to look inside.

An index of some rows only has the same rows on PostgreSQL; the migrations say so. Said here too, it would load all that
SQLAlchemy knows of PostgreSQL, 80 ms, into every process.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text),
    Column("plan", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text),
    Column("credit_limit", BigInteger),  # nano-USD; NULL: unlimited
    Column("zone", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("price_list", Text, nullable=False, server_default=text("'default'")),
    Column("multiplier_ppm", BigInteger, nullable=False, server_default=text("1000000")),
    Column("groups", Text, nullable=False, server_default=text("'[]'")),
    Index("ix_accounts_created", "created_at_ms", "id"),
)

projects = Table(
    "projects",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_projects_created", "created_at_ms", "id"),
    # A name is unique among the active projects of an account, whoever else writes at the same time.
    Index(
        "uq_projects_active_name",
        "account_id",
        "name",
        unique=True,
        sqlite_where=text("state = 'active'"),
    ),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("project_id", Text, ForeignKey("projects.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("models", Text, nullable=False),
    Column("networks", Text, nullable=False),
    Column("tags", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text),
    Column("expires_at_ms", BigInteger),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("rotated_at_ms", BigInteger),
    Column("last_used_at_ms", BigInteger),
    Column("last_used_client", Text),
    Column("made_by", Text),
    Index("ix_keys_created", "created_at_ms", "id"),
    Index("ix_keys_account", "account_id", "created_at_ms", "id"),
)

key_secrets = Table(
    "key_secrets",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the secret's text
    Column("key_id", Text, ForeignKey("keys.id"), nullable=False),
    Column("place", Integer, nullable=False),  # 1, 2, ... in the order they were minted
    Column("prefix", Text, nullable=False),
    Column("last4", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("valid_until_ms", BigInteger),
    Column("overlap_ms", BigInteger),
    Index("uq_key_secrets_place", "key_id", "place", unique=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Text, primary_key=True),
    Column("time_ms", BigInteger, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("address", Text),
    Column("account_id", Text),
    Column("action", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Index("ix_audit_time", "time_ms", "id"),
    Index("ix_audit_account", "account_id", "time_ms", "id"),
    Index("ix_audit_object", "object_id", "time_ms", "id"),
)

# One row a call, without foreign keys: it must be writable whatever else stands. It is deleted after
# `request_retention_days`.
# `record` is the whole core.usage_record.UsageRecord; beside it stands what questions select by. Every index is paid by
# every call: the id has none of its own, for it holds the time it was minted at, which is `time_ms`.
requests = Table(
    "requests",
    metadata,
    Column("time_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("record", Text, nullable=False),
    Index("ix_requests_account", "account_id", "time_ms"),
)

# Append only: triggers of the first migration refuse every other statement. The chain of an account lies together, in
# its order. `counter` is the platform's account on the other leg, with the opposite amount; billing/ledger.py has the
# rules and the canonical bytes of `hash`.
ledger = Table(
    "ledger",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("counter", Text, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("request_id", Text),
    Column("price_id", Text),
    Column("multiplier_ppm", BigInteger),
    Column("refers_to", Text),
    Column("reason", Text),
    Column("actor_id", Text),
    Column("expires_at_ms", BigInteger),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    # A call is charged once and refunded once, whoever tries at the same time.
    Index("uq_ledger_request", "request_id", "kind", unique=True),
    # What people did: few among many charges, which do not pay for this index.
    Index(
        "ix_ledger_deeds",
        "account_id",
        "time_ms",
        sqlite_where=text("kind NOT IN ('charge', 'overrun')"),
    ),
    sqlite_with_rowid=False,
)

# Where each chain stands, and what its entries sum to; written with every entry.
account_money = Table(
    "account_money",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("put_in", BigInteger, nullable=False),
    Column("spent", BigInteger, nullable=False),
    Column("overrun", BigInteger, nullable=False),
    Column("balance", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

budgets = Table(
    "budgets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("level", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("model", Text),
    Column("soft", Text, nullable=False),
    Column("mail", Text),
    Column("webhook", Text),
    Column("system", Boolean, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_budgets_object", "level", "object_id"),
    Index("ix_budgets_created", "created_at_ms", "id"),
    Index("ix_budgets_soft", "id", sqlite_where=text("soft <> '[]'")),
)

# One row per budget and window that was spent in. It outlives its budget: calls in flight still count.
budget_counters = Table(
    "budget_counters",
    metadata,
    Column("budget_id", Text, primary_key=True),
    Column("starts_at_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("opening", BigInteger, nullable=False),  # of `spent`: what the window held before the budget was made
    Column("spent", BigInteger, nullable=False),
    Column("overrun", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Append only like the ledger: a new price is a new row. Of rows of one list, model and instant the one added last
# holds, so that a price which is not in force yet can still be replaced.
prices = Table(
    "prices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("price_list", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("effective_from_ms", BigInteger, nullable=False),
    Column("written", Text, nullable=False),  # decimal USD by bucket or unit, as JSON; {}: not in the list from then on
    Column("draft_id", Text),  # the price file it came with; NULL: platform.toml
    Index("ix_prices_place", "price_list", "model", "effective_from_ms"),
)

# Price files that people brought: looked at as drafts, then put in force as rows of `prices`.
price_drafts = Table(
    "price_drafts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("price_list", Text, nullable=False),
    Column("written", Text, nullable=False),  # as in `prices`, by model
    Column("created_at_ms", BigInteger, nullable=False),
    Column("activated_at_ms", BigInteger),
    Column("effective_from_ms", BigInteger),
    Index("ix_price_drafts_created", "created_at_ms", "id"),
)

limits = Table(
    "limits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("level", Text, nullable=False),
    Column("object_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("most", BigInteger, nullable=False),
    Column("model", Text),
    Column("until_ms", BigInteger),
    Column("note", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Index("ix_limits_object", "level", "object_id"),
)

codes = Table(
    "codes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),  # SHA-256 of the code's text, which is shown once
    Column("last4", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger),
    Column("redeemed_at_ms", BigInteger),
    Column("redeemed_by", Text),  # the account
    Index("ix_codes_created", "created_at_ms", "id"),
)


def _specified(name: str) -> Table:
    return Table(
        name,
        metadata,
        Column("id", Text, primary_key=True),
        Column("spec", Text, nullable=False),  # the record of core.catalogue as JSON; no secret in the clear
        Column("managed_by", Text, nullable=False),
    )


providers = _specified("providers")
provider_drains = Table(
    "provider_drains",
    metadata,
    Column("id", Text, primary_key=True),  # the provider's
    Column("since_ms", BigInteger, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("reason", Text, nullable=False),
)
models = _specified("models")
plans = _specified("plans")

configuration = Table(  # one row
    "configuration",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("generation", BigInteger, nullable=False),
    Column("applied_at_ms", BigInteger, nullable=False),
)

# One row: see core.retention.
retention = Table(
    "retention",
    metadata,
    Column("before_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("deleted", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger),
    Column("next_at_ms", BigInteger),
)

# One row: the process that works on the database (`database_lock`). SQLite's stands in the file of its lock.
holder = Table(
    "holder",
    metadata,
    Column("host", Text, primary_key=True),
    Column("pid", BigInteger, primary_key=True, autoincrement=False),
    Column("command", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("since_ms", BigInteger, nullable=False),
)

# What other processes must read again; pruned by the writer.
changes = Table(
    "changes",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # account, project, key, catalogue, money, budget, limit, price
    Column("object_id", Text, nullable=False),
)

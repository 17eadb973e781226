"""First tables: accounts, projects, keys, people, audit, requests, usage roll-ups, the ledger,
budgets, prices, limits, redeem codes, catalogue."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_BUCKETS = (
    "input",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "audio_in",
    "audio_out",
    "image_in",
    "image_out",
    "requests",
    "images",
    "seconds",
    "characters",
)


def upgrade() -> None:
    _accounts_and_projects()
    _keys()
    _people()
    _audit()
    _requests()
    _roll_up("usage", [_number("span_ms")], ["project_id", "key_id", "model", "mode"])
    _roll_up("usage_tags", [], ["tag", "mode"])
    _ledger()
    _budgets()
    _prices_and_limits()
    _codes()
    _catalogue()


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _accounts_and_projects() -> None:
    op.create_table(
        "accounts",
        _text("id"),
        _text("name"),
        _text("email", nullable=True),
        _text("plan"),
        _text("state"),
        _text("state_reason", nullable=True),
        _number("credit_limit", nullable=True),
        _text("zone"),
        _number("created_at_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
    )
    op.create_index("ix_accounts_created", "accounts", ["created_at_ms", "id"])
    op.create_table(
        "projects",
        _text("id"),
        _text("account_id"),
        _text("name"),
        _text("state"),
        _number("created_at_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_projects"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_projects_account_id"),
    )
    op.create_index("ix_projects_created", "projects", ["created_at_ms", "id"])
    active = sa.text("state = 'active'")
    op.create_index(
        "uq_projects_active_name",
        "projects",
        ["account_id", "name"],
        unique=True,
        sqlite_where=active,
        postgresql_where=active,
    )


def _keys() -> None:
    op.create_table(
        "keys",
        *(_text(name) for name in ("id", "account_id", "project_id", "name", "mode")),
        *(_text(name) for name in ("scopes", "models", "networks", "tags", "state")),
        _text("state_reason", nullable=True),
        _number("expires_at_ms", nullable=True),
        _number("created_at_ms"),
        _number("rotated_at_ms", nullable=True),
        _number("last_used_at_ms", nullable=True),
        _text("last_used_client", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_keys_account_id"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_keys_project_id"),
    )
    op.create_index("ix_keys_created", "keys", ["created_at_ms", "id"])
    op.create_index("ix_keys_account", "keys", ["account_id", "created_at_ms", "id"])
    op.create_table(
        "key_secrets",
        sa.Column("digest", sa.LargeBinary, nullable=False),
        _text("key_id"),
        sa.Column("place", sa.Integer, nullable=False),
        _text("prefix"),
        _text("last4"),
        _number("created_at_ms"),
        _number("valid_until_ms", nullable=True),
        _number("overlap_ms", nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_key_secrets"),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name="fk_key_secrets_key_id"),
    )
    op.create_index("uq_key_secrets_place", "key_secrets", ["key_id", "place"], unique=True)


def _people() -> None:
    op.create_table(
        "people",
        *(_text(name) for name in ("id", "email", "role")),
        _text("account_id", nullable=True),
        _text("password_hash"),
        _text("state"),
        _number("created_at_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_people_account_id"),
        sa.UniqueConstraint("email", name="uq_people_email"),
    )


def _audit() -> None:
    op.create_table(
        "audit",
        _text("id"),
        _number("time_ms"),
        _text("actor_kind"),
        _text("actor_id"),
        _text("address", nullable=True),
        _text("account_id", nullable=True),
        *(_text(name) for name in ("action", "object_id", "before", "after")),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_time", "audit", ["time_ms", "id"])
    op.create_index("ix_audit_account", "audit", ["account_id", "time_ms", "id"])
    op.create_index("ix_audit_object", "audit", ["object_id", "time_ms", "id"])


def _requests() -> None:
    op.create_table(
        "requests",
        _number("time_ms"),
        *(_text(name) for name in ("id", "account_id", "record")),
        sa.PrimaryKeyConstraint("time_ms", "id", name="pk_requests"),
    )
    op.create_index("ix_requests_account", "requests", ["account_id", "time_ms"])


def _roll_up(name: str, span: "list[sa.Column[int]]", dimensions: list[str]) -> None:
    op.create_table(
        name,
        *span,
        _text("account_id"),
        _number("start_ms"),
        *(_text(dimension) for dimension in dimensions),
        _number("calls"),
        _number("failed"),
        _number("charge"),
        *(_number(bucket) for bucket in _BUCKETS),
        sa.PrimaryKeyConstraint(
            *(column.name for column in span), "account_id", "start_ms", *dimensions, name=f"pk_{name}"
        ),
        sqlite_with_rowid=False,
    )


def _ledger() -> None:
    op.create_table(
        "ledger",
        _text("account_id"),
        _number("sequence"),
        *(_text(name) for name in ("id", "kind")),
        *(_number(name) for name in ("amount", "balance")),
        _text("counter"),
        _number("time_ms"),
        *(_text(name, nullable=True) for name in ("request_id", "price_id")),
        _number("multiplier_ppm", nullable=True),
        *(_text(name, nullable=True) for name in ("refers_to", "reason", "actor_id")),
        _number("expires_at_ms", nullable=True),
        sa.Column("previous", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "sequence", name="pk_ledger"),
        sqlite_with_rowid=False,
    )
    op.create_index("uq_ledger_request", "ledger", ["request_id", "kind"], unique=True)
    deeds = sa.text("kind NOT IN ('charge', 'overrun')")
    op.create_index("ix_ledger_deeds", "ledger", ["account_id", "time_ms"], sqlite_where=deeds, postgresql_where=deeds)
    if op.get_context().dialect.name != "sqlite":
        op.execute(
            "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append only', ERRCODE = '23000'; END $$"
        )
    _append_only("ledger")
    op.create_table(
        "account_money",
        _text("account_id"),
        *(_number(name) for name in ("put_in", "spent", "overrun", "balance", "sequence")),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_account_money"),
        sqlite_with_rowid=False,
    )


def _append_only(table: str) -> None:
    if op.get_context().dialect.name == "sqlite":
        for deed in ("update", "delete"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{deed} BEFORE {deed} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append only'); END"
            )
    else:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
        )


def _budgets() -> None:
    op.create_table(
        "budgets",
        *(_text(name) for name in ("id", "account_id", "level", "object_id")),
        _number("amount"),
        *(_text(name) for name in ("kind", "zone")),
        _text("model", nullable=True),
        _text("soft"),
        *(_text(name, nullable=True) for name in ("mail", "webhook")),
        sa.Column("system", sa.Boolean, nullable=False),
        _number("created_at_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_budgets"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_budgets_account_id"),
    )
    op.create_index("ix_budgets_object", "budgets", ["level", "object_id"])
    op.create_index("ix_budgets_created", "budgets", ["created_at_ms", "id"])
    op.create_table(
        "budget_counters",
        _text("budget_id"),
        *(_number(name) for name in ("starts_at_ms", "opening", "spent", "overrun")),
        sa.PrimaryKeyConstraint("budget_id", "starts_at_ms", name="pk_budget_counters"),
        sqlite_with_rowid=False,
    )


def _prices_and_limits() -> None:
    op.create_table(
        "prices",
        *(_text(name) for name in ("id", "price_list", "model")),
        _number("effective_from_ms"),
        _text("written"),
        sa.PrimaryKeyConstraint("id", name="pk_prices"),
    )
    op.create_index("uq_prices_place", "prices", ["price_list", "model", "effective_from_ms"], unique=True)
    _append_only("prices")
    op.create_table(
        "limits",
        *(_text(name) for name in ("id", "level", "object_id", "kind")),
        _number("most"),
        _text("model", nullable=True),
        _number("until_ms", nullable=True),
        _text("note"),
        _number("created_at_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_limits"),
    )
    op.create_index("ix_limits_object", "limits", ["level", "object_id"])


def _codes() -> None:
    op.create_table(
        "codes",
        _text("id"),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        _text("last4"),
        _number("amount"),
        _text("note"),
        _number("created_at_ms"),
        *(_number(name, nullable=True) for name in ("expires_at_ms", "redeemed_at_ms")),
        _text("redeemed_by", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_codes"),
        sa.UniqueConstraint("digest", name="uq_codes_digest"),
    )
    op.create_index("ix_codes_created", "codes", ["created_at_ms", "id"])


def _catalogue() -> None:
    for name in ("providers", "models", "plans"):
        op.create_table(
            name, _text("id"), _text("spec"), _text("managed_by"), sa.PrimaryKeyConstraint("id", name=f"pk_{name}")
        )
    op.create_table(
        "configuration",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        _number("generation"),
        _number("applied_at_ms"),
        sa.PrimaryKeyConstraint("id", name="pk_configuration"),
    )
    op.create_table(
        "changes",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False, autoincrement=True),
        _text("kind"),
        _text("object_id"),
        sa.PrimaryKeyConstraint("sequence", name="pk_changes"),
    )

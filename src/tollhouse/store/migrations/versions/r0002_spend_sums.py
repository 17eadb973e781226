"""Sums of what accounts, projects and keys spent; usage knows of which kind it is."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

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
_COUNTERS = ("calls", "failed", "charge", *_BUCKETS)

# Older sums do not say what they were for; this is as near as their figures tell.
_KIND = (
    "CASE WHEN images > 0 THEN 'images' WHEN characters > 0 THEN 'audio_speeches'"
    " WHEN seconds > 0 THEN 'audio_transcriptions' WHEN input > 0 AND output + reasoning = 0 THEN 'embeddings'"
    " ELSE 'completions' END"
)
_QUARTER, _HOUR, _THIRD, _DAY = 900_000, 3_600_000, 28_800_000, 86_400_000


def upgrade() -> None:
    _give_usage_a_kind()
    _sum_whole_accounts()
    _sum_spending()


def _give_usage_a_kind() -> None:
    """It becomes a part of the primary key, for which SQLite needs a new table."""
    op.rename_table("usage", "usage_before")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("pk_usage", "usage_before")
    place = ["span_ms", "account_id", "start_ms", "project_id", "key_id", "model", "kind", "mode"]
    op.create_table(
        "usage",
        *(_number(name) if name.endswith("_ms") else _text(name) for name in place),
        *map(_number, _COUNTERS),
        sa.PrimaryKeyConstraint(*place, name="pk_usage"),
        sqlite_with_rowid=False,
    )
    kept = ", ".join([*place, *_COUNTERS])
    op.execute(f"INSERT INTO usage ({kept}) SELECT {kept.replace('kind', _KIND)} FROM usage_before")  # noqa: S608
    op.drop_table("usage_before")


def _sum_whole_accounts() -> None:
    op.create_table(
        "account_usage",
        _text("account_id"),
        _number("span_ms"),
        _text("kind"),
        _number("start_ms"),
        _text("model"),
        *map(_number, _COUNTERS),
        sa.PrimaryKeyConstraint("account_id", "span_ms", "kind", "start_ms", "model", name="pk_account_usage"),
        sqlite_with_rowid=False,
    )
    summed = ", ".join(f"SUM({name})" for name in _COUNTERS)
    for span_ms in (_HOUR, _DAY):
        start = f"start_ms - start_ms % {span_ms}"
        op.execute(
            f"INSERT INTO account_usage SELECT account_id, {span_ms}, kind, {start}, model, {summed} FROM usage"  # noqa: S608
            f" WHERE span_ms = {_QUARTER} AND mode = 'live' GROUP BY account_id, kind, {start}, model"
        )


def _sum_spending() -> None:
    op.create_table(
        "spend_sums",
        _text("object_id"),
        _number("span_ms"),
        _number("start_ms"),
        _text("model"),
        _number("charge"),
        sa.PrimaryKeyConstraint("object_id", "span_ms", "start_ms", "model", name="pk_spend_sums"),
        sqlite_with_rowid=False,
    )
    for owner in ("account_id", "project_id", "key_id"):
        for span_ms in (_QUARTER, _HOUR, _THIRD, _DAY):
            start = f"start_ms - start_ms % {span_ms}"
            op.execute(
                f"INSERT INTO spend_sums SELECT {owner}, {span_ms}, {start}, model, SUM(charge) FROM usage"  # noqa: S608
                f" WHERE span_ms = {_QUARTER} AND mode = 'live' AND charge <> 0 GROUP BY {owner}, {start}, model"
            )


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)

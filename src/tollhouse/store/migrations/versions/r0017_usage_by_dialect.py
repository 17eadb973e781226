"""Usage knows in which dialect it was asked for, and by which operation."""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

_COUNTERS = (
    *("calls", "failed", "charge"),
    *("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"),
    *("audio_in", "audio_out", "image_in", "image_out", "requests", "images", "seconds", "characters"),
)
_PLACES: Mapping[str, tuple[str, ...]] = {
    "usage": ("span_ms", "account_id", "start_ms", "project_id", "key_id", "model", "kind", "mode"),
    "account_usage": ("account_id", "span_ms", "kind", "start_ms", "model"),
}
_ASKED = ("dialect", "operation")


def upgrade() -> None:
    """Both become a part of the primary key, for which SQLite needs a new table."""
    for table, place in _PLACES.items():
        before = f"{table}_before"
        op.rename_table(table, before)
        if op.get_bind().dialect.name != "sqlite":
            op.drop_constraint(f"pk_{table}", before)
        op.create_table(
            table,
            *(_number(name) if name.endswith("_ms") else _text(name) for name in place),
            *(sa.Column(name, sa.Text, nullable=False, server_default="unknown") for name in _ASKED),
            *map(_number, _COUNTERS),
            sa.PrimaryKeyConstraint(*place, *_ASKED, name=f"pk_{table}"),
            sqlite_with_rowid=False,
        )
        kept = ", ".join([*place, *_COUNTERS])
        op.execute(f"INSERT INTO {table} ({kept}) SELECT {kept} FROM {before}")  # noqa: S608
        op.drop_table(before)


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)

"""The tables of sums, of what was used and what it cost; see `schema`."""

from typing import Final

from sqlalchemy import BigInteger, Column, Table, Text, text

from tollhouse.core.roll_up import UNKNOWN
from tollhouse.core.usage import BUCKETS
from tollhouse.store.schema import metadata


def _roll_up(name: str, *dimensions: str, spans: bool) -> Table:
    """Sums per start of a span of time and per dimension, written in the transaction of the requests they count."""
    return Table(
        name,
        metadata,
        *((Column("span_ms", BigInteger, primary_key=True, autoincrement=False),) if spans else ()),
        # The account leads: reports ask for one account over some time.
        Column("account_id", Text, primary_key=True),
        Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
        *(Column(dimension, Text, primary_key=True) for dimension in dimensions),
        *(_asked() if spans else ()),
        *_counters(),
        sqlite_with_rowid=False,  # one tree to look in and to write, not two
    )


def _asked() -> "tuple[Column[str], ...]":
    """How calls were asked; those that were summed before this was told apart have the default."""
    default = text(f"'{UNKNOWN}'")
    return tuple(
        Column(name, Text, primary_key=True, nullable=False, server_default=default)
        for name in ("dialect", "operation")
    )


_ADDED: Final = {"searches": text("0")}
"""Buckets that came after the first tables: rows from before have none."""


def _counters() -> "tuple[Column[int], ...]":
    return (
        Column("calls", BigInteger, nullable=False),
        Column("failed", BigInteger, nullable=False),  # calls that ended with a status of 400 or more
        Column("charge", BigInteger, nullable=False),  # nano-USD; of live calls only
        *(Column(bucket, BigInteger, nullable=False, server_default=_ADDED.get(bucket)) for bucket in BUCKETS),
    )


# Each call counts twice: in its day of UTC (DAY_MS), which most reports read, and in its quarter of an hour
# (QUARTER_MS), from which every time zone on Earth has its own days and hours. `kind`: core.roll_up.kind_of.
usage = _roll_up("usage", "project_id", "key_id", "model", "kind", "mode", spans=True)
usage_tags = _roll_up("usage_tags", "tag", "mode", spans=False)  # days of UTC; `tag` is `name=value`

# The live calls of an account as a whole, by hours and days of UTC: few rows tell what it used, whatever keys it has.
account_usage = Table(
    "account_usage",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("span_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("model", Text, primary_key=True),
    *_asked(),
    *_counters(),
    sqlite_with_rowid=False,
)

# What an account, a project and a key were charged, each for itself: bills and budgets read no other rows. Spans are
# those of store.spend.SPANS.
spend_sums = Table(
    "spend_sums",
    metadata,
    Column("object_id", Text, primary_key=True),
    Column("span_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("model", Text, primary_key=True),
    Column("charge", BigInteger, nullable=False),  # nano-USD
    sqlite_with_rowid=False,
)

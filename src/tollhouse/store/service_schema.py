"""The tables of what is told of how models serve; see `schema`."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from tollhouse.store.schema import metadata

# Sums of the calls that ended within a span of time, of all accounts together: see core.service_level. Spans are
# quarters of an hour of the last day, and days before.
service_levels = Table(
    "service_levels",
    metadata,
    Column("span_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("start_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("model", Text, primary_key=True),
    Column("good", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("answers", BigInteger, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("generating_ms", BigInteger, nullable=False),
    Column("first", Text, nullable=False),  # bins with their counts, as JSON
    sqlite_with_rowid=False,
)

# What those who run the platform tell everybody of an incident, with its updates, the first one first.
announcements = Table(
    "announcements",
    metadata,
    Column("id", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("models", Text, nullable=False),
    Column("updates", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("changed_at_ms", BigInteger, nullable=False),
    Column("closed_at_ms", BigInteger),
    Index("ix_announcements_created", "created_at_ms", "id"),
)

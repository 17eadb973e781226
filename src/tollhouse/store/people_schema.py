"""The tables of people and of their sessions; see `schema`."""

from sqlalchemy import BigInteger, Column, ForeignKey, LargeBinary, Table, Text

from tollhouse.store.schema import metadata

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("email", Text, nullable=False, unique=True),  # in lower case
    Column("role", Text, nullable=False),
    Column("account_id", Text, ForeignKey("accounts.id")),  # NULL: of the platform
    Column("password_hash", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person_id", Text, ForeignKey("people.id"), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
)

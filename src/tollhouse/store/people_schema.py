"""The tables of people and of their sessions; see `schema`."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

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
    Column("language", Text),
    Column("theme", Text, nullable=False, server_default="system"),
    Column("factor", Text, nullable=False, server_default="optional"),
    Column("totp", Text),
    Column("totp_step", BigInteger, nullable=False, server_default="0"),
    Column("recovery", Text, nullable=False, server_default="[]"),
    Column("networks", Text, nullable=False, server_default="[]"),
    Column("signed_in_at_ms", BigInteger),
    Column("signed_in_from", Text),
    Column("signed_in_with", Text),
    Index("ix_people_account", "account_id", "created_at_ms"),
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
    Column("before_at_ms", BigInteger),
    Column("before_address", Text),
    Column("before_browser", Text),
    Column("looks_at", Text),
)

mailed_links = Table(
    "mailed_links",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("person_id", Text),
    Column("account_id", Text),
    Column("role", Text),
    Column("made_by", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False),
    Index("ix_mailed_links_email", "email"),
    Index("ix_mailed_links_account", "account_id"),
    Index("ix_mailed_links_expires", "expires_at_ms"),
)

link_tokens = Table(
    "link_tokens",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("link_id", Text, nullable=False),
    Index("ix_link_tokens_link", "link_id"),
)

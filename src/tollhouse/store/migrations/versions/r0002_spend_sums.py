"""Sums of what accounts, projects and keys spent, by day."""

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Nothing yet."""

"""Which person made a key, and which account somebody of the platform looks at with a session."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.add_column("keys", sa.Column("made_by", sa.Text))
    op.execute(
        "UPDATE keys SET made_by = (SELECT max(actor_id) FROM audit WHERE audit.object_id = keys.id"
        " AND audit.action = 'key.create' AND audit.actor_kind = 'person')"
    )
    op.add_column("sessions", sa.Column("looks_at", sa.Text))

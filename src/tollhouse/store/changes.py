"""What changed, for processes that keep it in memory: they read the newest rows and load those objects again."""

from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select

from tollhouse.store.schema import changes

Kind = Literal["account", "project", "key", "catalogue", "money", "budget", "limit", "price"]

_KEPT = 10_000  # whoever fell further behind loads everything again


def note(connection: Connection, kind: Kind, object_id: str) -> None:
    """Write down, in the transaction of the change itself, that an object must be read again."""
    sequence = connection.execute(
        insert(changes).values(kind=kind, object_id=object_id).returning(changes.c.sequence)
    ).scalar_one()
    if sequence % 100 == 0:
        connection.execute(delete(changes).where(changes.c.sequence <= sequence - _KEPT))


class SqlChangeRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def newest(self) -> int:
        """The number of the newest change; 0 before the first."""
        newest: int | None = self._connection.execute(select(func.max(changes.c.sequence))).scalar()
        return newest or 0

    def since(self, sequence: int) -> list[tuple[int, str, str]]:
        """(number, kind, object id) of what came after, oldest first."""
        found = self._connection.execute(
            select(changes.c.sequence, changes.c.kind, changes.c.object_id)
            .where(changes.c.sequence > sequence)
            .order_by(changes.c.sequence)
        )
        return [(row.sequence, row.kind, row.object_id) for row in found]

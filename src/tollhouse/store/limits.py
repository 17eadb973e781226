"""Rows of the limits that people set."""

from msgspec import structs
from sqlalchemy import Connection, and_, delete, insert, or_, select

from tollhouse.core.limit import Rule
from tollhouse.store.changes import note
from tollhouse.store.records import record
from tollhouse.store.schema import keys, limits, projects


class SqlLimitRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, rule: Rule) -> None:
        self._connection.execute(insert(limits).values(structs.asdict(rule)))
        note(self._connection, "limit", rule.id)

    def remove(self, rule_id: str) -> None:
        self._connection.execute(delete(limits).where(limits.c.id == rule_id))
        note(self._connection, "limit", rule_id)

    def get(self, rule_id: str) -> Rule | None:
        row = self._connection.execute(select(limits).where(limits.c.id == rule_id)).mappings().first()
        return None if row is None else record(row, Rule)

    def on(self, level: str, object_id: str) -> list[Rule]:
        question = select(limits).where(limits.c.level == level, limits.c.object_id == object_id)
        found = self._connection.execute(question.order_by(limits.c.created_at_ms, limits.c.id)).mappings()
        return [record(row, Rule) for row in found]

    def within(self, account_id: str) -> list[Rule]:
        """Those on an account, its projects and its keys."""
        table, on_project, on_key = limits.c, select(projects.c.id), select(keys.c.id)
        question = select(limits).where(
            or_(
                and_(table.level == "account", table.object_id == account_id),
                and_(
                    table.level == "project", table.object_id.in_(on_project.where(projects.c.account_id == account_id))
                ),
                and_(table.level == "key", table.object_id.in_(on_key.where(keys.c.account_id == account_id))),
            )
        )
        return [record(row, Rule) for row in self._connection.execute(question).mappings()]

    def list_all(self) -> list[Rule]:
        return [record(row, Rule) for row in self._connection.execute(select(limits)).mappings()]

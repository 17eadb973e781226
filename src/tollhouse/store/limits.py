"""Rows of the limits that people set."""

from sqlalchemy import and_, or_, select

from tollhouse.core.limit import Rule
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import keys, limits, projects


class SqlLimitRepository(SqlRecordRepository[Rule]):
    table, kind, noted = limits, Rule, "limit"

    def on(self, level: str, object_id: str) -> list[Rule]:
        question = select(limits).where(limits.c.level == level, limits.c.object_id == object_id)
        return self._found(question.order_by(limits.c.created_at_ms, limits.c.id))

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
        return self._found(question)

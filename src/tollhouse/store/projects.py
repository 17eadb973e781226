"""Rows of projects."""

from tollhouse.core.account import Project
from tollhouse.store.rows import SqlRecordRepository
from tollhouse.store.schema import projects


class SqlProjectRepository(SqlRecordRepository[Project]):
    table, kind, noted = projects, Project, "project"

    def active_named(self, account_id: str, name: str) -> Project | None:
        return self._first(projects.c.account_id == account_id, projects.c.name == name, projects.c.state == "active")

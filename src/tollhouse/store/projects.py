"""Rows of projects."""

from msgspec import structs
from sqlalchemy import Connection, insert, select, update

from tollhouse.core.account import Project
from tollhouse.store.changes import note
from tollhouse.store.pages import Cursor, page
from tollhouse.store.records import record
from tollhouse.store.schema import projects


class SqlProjectRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, project: Project) -> None:
        self._connection.execute(insert(projects).values(structs.asdict(project)))
        note(self._connection, "project", project.id)

    def save(self, project: Project) -> None:
        self._connection.execute(update(projects).where(projects.c.id == project.id).values(structs.asdict(project)))
        note(self._connection, "project", project.id)

    def get(self, project_id: str) -> Project | None:
        row = self._connection.execute(select(projects).where(projects.c.id == project_id)).mappings().first()
        return None if row is None else record(row, Project)

    def active_named(self, account_id: str, name: str) -> Project | None:
        question = select(projects).where(
            projects.c.account_id == account_id, projects.c.name == name, projects.c.state == "active"
        )
        row = self._connection.execute(question).mappings().first()
        return None if row is None else record(row, Project)

    def page(self, *, before: Cursor | None, limit: int, account_id: str | None = None) -> list[Project]:
        question = select(projects)
        if account_id is not None:
            question = question.where(projects.c.account_id == account_id)
        question = page(question, projects.c.created_at_ms, projects.c.id, before, limit)
        return [record(row, Project) for row in self._connection.execute(question).mappings()]

    def list_all(self) -> list[Project]:
        return [record(row, Project) for row in self._connection.execute(select(projects)).mappings()]

"""Rows of people: who signs in to the console, with the hash of the password."""

from collections.abc import Collection

from sqlalchemy import func, select

from tollhouse.core.person import Person
from tollhouse.store.people_schema import people
from tollhouse.store.rows import SqlRecordRepository


class SqlPersonRepository(SqlRecordRepository[Person]):
    table, kind = people, Person

    def by_email(self, email: str) -> Person | None:
        """`email` in lower case."""
        return self._first(people.c.email == email)

    def of(self, account_id: str | None, limit: int) -> list[Person]:
        """The members of an account, or those who run the platform; whoever came first is first."""
        whose = people.c.account_id == account_id
        return self._found(select(people).where(whose).order_by(people.c.created_at_ms, people.c.id).limit(limit))

    def with_ids(self, ids: Collection[str]) -> list[Person]:
        return self._found(select(people).where(people.c.id.in_(ids))) if ids else []

    def who_run(self, roles: Collection[str], limit: int) -> list[Person]:
        """Those who run the platform in one of these roles, and may sign in."""
        theirs = people.c.account_id.is_(None), people.c.role.in_(roles), people.c.state == "active"
        return self._found(select(people).where(*theirs).order_by(people.c.created_at_ms, people.c.id).limit(limit))

    def count(self, account_id: str | None, role: str | None = None) -> int:
        """How many of them may sign in; with this role, if one is named."""
        question = select(func.count()).where(people.c.account_id == account_id, people.c.state == "active")
        if role is not None:
            question = question.where(people.c.role == role)
        return int(self._connection.execute(question).scalar_one())

"""Rows of people: who signs in to the console, with the hash of the password."""

from tollhouse.core.person import Person
from tollhouse.store.people_schema import people
from tollhouse.store.rows import SqlRecordRepository


class SqlPersonRepository(SqlRecordRepository[Person]):
    table, kind = people, Person

    def by_email(self, email: str) -> Person | None:
        """`email` in lower case."""
        return self._first(people.c.email == email)

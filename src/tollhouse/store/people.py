"""Rows of people: who signs in to the console, with the hash of the password."""

from msgspec import structs
from sqlalchemy import Connection, insert, select, update

from tollhouse.core.person import Person
from tollhouse.store.records import record
from tollhouse.store.schema import people


class SqlPersonRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, person: Person) -> None:
        self._connection.execute(insert(people).values(structs.asdict(person)))

    def save(self, person: Person) -> None:
        self._connection.execute(update(people).where(people.c.id == person.id).values(structs.asdict(person)))

    def by_email(self, email: str) -> Person | None:
        """`email` in lower case."""
        row = self._connection.execute(select(people).where(people.c.email == email)).mappings().first()
        return None if row is None else record(row, Person)

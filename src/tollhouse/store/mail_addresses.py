"""Rows of mail addresses outside an account, and which of an account's addresses nobody need be asked about."""

from collections.abc import Collection

from msgspec import structs
from sqlalchemy import Connection, delete, func, insert, select, update

from tollhouse.core.notice import MailAddress
from tollhouse.store.outbox_schema import mail_addresses
from tollhouse.store.people_schema import people
from tollhouse.store.records import record
from tollhouse.store.schema import accounts


class SqlMailAddressRepository:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, row: MailAddress) -> None:
        """In place of what stood for this account and address."""
        mine = mail_addresses.c.account_id == row.account_id, mail_addresses.c.address == row.address
        self._connection.execute(delete(mail_addresses).where(*mine))
        self._connection.execute(insert(mail_addresses).values(structs.asdict(row)))

    def get(self, account_id: str, address: str) -> MailAddress | None:
        question = select(mail_addresses).where(
            mail_addresses.c.account_id == account_id, mail_addresses.c.address == address.lower()
        )
        row = self._connection.execute(question).mappings().first()
        return None if row is None else record(row, MailAddress)

    def by_token(self, token: str) -> MailAddress | None:
        row = self._connection.execute(select(mail_addresses).where(mail_addresses.c.token == token)).mappings().first()
        return None if row is None else record(row, MailAddress)

    def confirm(self, token: str, now_ms: int, by: str) -> MailAddress | None:
        """The address that a token was sent to is confirmed now; None where there is none (any more)."""
        done = update(mail_addresses).where(mail_addresses.c.token == token)
        values = {"token": None, "confirmed_at_ms": now_ms, "confirmed_by": by}
        row = self._connection.execute(done.values(values).returning(*mail_addresses.columns)).mappings().first()
        return None if row is None else record(row, MailAddress)

    def count(self, account_id: str) -> int:
        question = select(func.count()).where(mail_addresses.c.account_id == account_id)
        return int(self._connection.execute(question).scalar_one())

    def unconfirmed(self, account_id: str, addresses: Collection[str]) -> set[str]:
        """Of these, in lower case, those that are neither the account's own nor a member's, nor confirmed."""
        asked = {address.lower() for address in addresses}
        if not asked:
            return asked
        own = select(func.lower(accounts.c.email)).where(accounts.c.id == account_id, accounts.c.email.is_not(None))
        members = select(people.c.email).where(
            people.c.account_id == account_id, people.c.state == "active", people.c.email.in_(asked)
        )
        confirmed = select(mail_addresses.c.address).where(
            mail_addresses.c.account_id == account_id,
            mail_addresses.c.address.in_(asked),
            mail_addresses.c.confirmed_at_ms.is_not(None),
        )
        for question in (own, members, confirmed):
            asked -= set(self._connection.execute(question).scalars())
        return asked

"""Rows of notices, of the ways they leave by, and of what webhooks are signed with."""

from collections.abc import Sequence
from typing import Any

from msgspec import json, structs
from sqlalchemy import Connection, delete, func, insert, select, text, update

from tollhouse.billing.notices import ways
from tollhouse.core.notice import Delivery, Notice, Told
from tollhouse.store.budgets import Budgets
from tollhouse.store.outbox_schema import deliveries, notices, webhook_secrets
from tollhouse.store.pages import Place, page
from tollhouse.store.records import record
from tollhouse.store.schema import accounts, people

# Two processes may cross the same line: the second finds it crossed, and neither fails.
_ADD = text(
    f"INSERT INTO notices ({', '.join(column.name for column in notices.columns)})"  # noqa: S608 - names of our own
    f" VALUES ({', '.join(f':{column.name}' for column in notices.columns)}) ON CONFLICT DO NOTHING"
)
_PENDING = deliveries.c.state == "pending"


class Outbox:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # What is told.

    def add(self, notice: Notice) -> bool:
        """Write a notice down with the ways it leaves by; False: it was told before, and nothing is added."""
        row = structs.asdict(notice) | {"data": json.encode(notice.data).decode()}
        if not self._connection.execute(_ADD, row).rowcount:
            return False
        budgets = Budgets(self._connection)
        if notice.type == "budget.threshold":
            found = budgets.get(notice.object_id)
            telling = [] if found is None else [found]
        else:
            telling = budgets.on("account", notice.account_id)
        for way in ways(notice, self.owners(notice.account_id), telling):
            row = structs.asdict(way) | {"account_id": notice.account_id, "time_ms": notice.time_ms}
            self._connection.execute(insert(deliveries).values(row))
        return True

    def marks(self, type: str, object_id: str, episode: int) -> list[int]:  # noqa: A002 - the column's name
        """What was told already of one window, expiry or day."""
        question = select(notices.c.mark).where(
            notices.c.type == type, notices.c.object_id == object_id, notices.c.episode == episode
        )
        return list(self._connection.execute(question).scalars())

    def owners(self, account_id: str) -> list[str]:
        """Mail addresses: the account's own, and those of its owners who may sign in."""
        own = select(accounts.c.email).where(accounts.c.id == account_id, accounts.c.email.is_not(None))
        question = select(people.c.email).where(
            people.c.account_id == account_id, people.c.role == "owner", people.c.state == "active"
        )
        return [
            *self._connection.execute(own).scalars(),
            *self._connection.execute(question.order_by(people.c.created_at_ms, people.c.email)).scalars(),
        ]

    # How it leaves.

    def claim(self, now_ms: int, until_ms: int, count: int) -> list[Told]:
        """Deliveries that are due, those tried least first; until `until_ms` they are nobody else's."""
        due = _PENDING, deliveries.c.due_ms <= now_ms
        chosen = (
            select(deliveries.c.id)
            .join(notices, notices.c.id == deliveries.c.notice_id)
            .where(*due)
            .order_by(deliveries.c.attempts, deliveries.c.time_ms, notices.c.mark, deliveries.c.id)
            .limit(count)
        )
        # Whoever waited here for another's claim must find that they are due no more.
        taken = update(deliveries).where(deliveries.c.id.in_(chosen), *due).values(due_ms=until_ms)
        ids = self._connection.execute(taken.returning(deliveries.c.id)).scalars().all()
        found = self._told(deliveries.c.id.in_(ids))
        return sorted(found, key=lambda told: (told.notice.time_ms, told.notice.mark, told.delivery.id))

    def resume(self, now_ms: int) -> None:
        """At a start: what a killed process was about to send is due at once. On PostgreSQL another may be sending it
        at this moment, and its claim is waited for."""
        if self._connection.dialect.name == "sqlite":
            self._connection.execute(update(deliveries).where(_PENDING).values(due_ms=now_ms))

    def next_due_ms(self) -> int | None:
        found: int | None = self._connection.execute(select(func.min(deliveries.c.due_ms)).where(_PENDING)).scalar()
        return found

    def note(self, delivery: Delivery) -> None:
        """What has become of a delivery."""
        row = structs.asdict(delivery)
        self._connection.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(row))

    def page(self, *, before: Place | None, limit: int, account_id: str | None = None) -> list[Told]:
        question = select(deliveries.c.id)
        if account_id is not None:
            question = question.where(deliveries.c.account_id == account_id)
        question = page(question, deliveries.c.time_ms, deliveries.c.id, before, limit)
        ids = self._connection.execute(question).scalars().all()
        found = self._told(deliveries.c.id.in_(ids))
        return sorted(found, key=lambda told: (told.notice.time_ms, told.delivery.id), reverse=True)

    def _told(self, which: Any) -> list[Told]:
        question = select(notices, *(column.label(f"d_{column.name}") for column in deliveries.columns))
        question = question.join(deliveries, deliveries.c.notice_id == notices.c.id).where(which)
        return [
            Told(
                notice=record({name: row[name] for name in Notice.__struct_fields__}, Notice, as_json=("data",)),
                delivery=record({name: row[f"d_{name}"] for name in Delivery.__struct_fields__}, Delivery),
            )
            for row in self._connection.execute(question).mappings()
        ]

    # What webhooks are signed with, as `access.vault` keeps it.

    def secret(self, budget_id: str) -> tuple[str, str] | None:
        """URL and signing secret of a budget's webhook, as they stand now."""
        question = select(webhook_secrets.c.url, webhook_secrets.c.secret)
        row = self._connection.execute(question.where(webhook_secrets.c.budget_id == budget_id)).first()
        return None if row is None else (row.url, row.secret)

    def secrets(self, budget_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """By budget; those without a webhook are left out."""
        found = {budget_id: self.secret(budget_id) for budget_id in budget_ids}
        return {budget_id: pair for budget_id, pair in found.items() if pair is not None}

    def secrets_without(self, mark: str) -> dict[str, str]:
        """By budget, those that do not begin so."""
        question = select(webhook_secrets.c.budget_id, webhook_secrets.c.secret)
        question = question.where(~webhook_secrets.c.secret.startswith(mark, autoescape=True))
        return {row.budget_id: row.secret for row in self._connection.execute(question)}

    def keep_secret(self, budget_id: str, secret: str) -> None:
        """The same secret in another form."""
        chosen = webhook_secrets.c.budget_id == budget_id
        self._connection.execute(update(webhook_secrets).where(chosen).values(secret=secret))

    def put_secret(self, budget_id: str, url: str, secret: str) -> None:
        self.forget_secret(budget_id)
        self._connection.execute(
            insert(webhook_secrets).values(budget_id=budget_id, url=url, secret=secret, shown=False)
        )

    def reveal(self, budget_id: str) -> str | None:
        """The secret, the first time that this is asked for."""
        chosen = webhook_secrets.c.budget_id == budget_id, webhook_secrets.c.shown.is_(False)
        shown = update(webhook_secrets).where(*chosen).values(shown=True).returning(webhook_secrets.c.secret)
        found: str | None = self._connection.execute(shown).scalar()
        return found

    def move_secret(self, from_id: str, to_id: str) -> None:
        """Another budget has the webhook now."""
        moved = update(webhook_secrets).where(webhook_secrets.c.budget_id == from_id).values(budget_id=to_id)
        self._connection.execute(moved)

    def forget_secret(self, budget_id: str) -> None:
        self._connection.execute(delete(webhook_secrets).where(webhook_secrets.c.budget_id == budget_id))

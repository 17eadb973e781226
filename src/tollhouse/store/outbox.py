"""Rows of notices, of the ways they leave by, and of what webhooks are signed with."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import json, structs
from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, text, update

from tollhouse.billing.budgets import Budget
from tollhouse.billing.notices import FOLDED, ways
from tollhouse.core.channel import Channel, Channels
from tollhouse.core.instant import rfc3339
from tollhouse.core.notice import Delivery, DueDelivery, Notice, QueuedDelivery, Receiver, notice_id
from tollhouse.core.roll_up import HOUR_MS
from tollhouse.store.budgets import SqlBudgetRepository
from tollhouse.store.mail_addresses import SqlMailAddressRepository
from tollhouse.store.outbox_schema import deliveries, notices, webhook_secrets
from tollhouse.store.pages import Cursor, page
from tollhouse.store.people_schema import people
from tollhouse.store.records import record, row_of
from tollhouse.store.schema import accounts
from tollhouse.store.sendings import SqlSendingRepository

# Two processes may cross the same line: the second finds it crossed, and neither fails.
_ADD = text(
    f"INSERT INTO notices ({', '.join(column.name for column in notices.columns)})"  # noqa: S608 - names of our own
    f" VALUES ({', '.join(f':{column.name}' for column in notices.columns)}) ON CONFLICT DO NOTHING"
)
_PENDING = deliveries.c.state == "pending"


# The accounts of which something is due on one way, each found by one step along the index, whatever lies between.
_ACCOUNTS_DUE = text(
    "WITH RECURSIVE line (account_id) AS ("
    " SELECT min(account_id) FROM deliveries"
    " WHERE state = 'pending' AND channel = :channel AND account_id > :after"
    " UNION ALL SELECT (SELECT min(account_id) FROM deliveries"
    " WHERE state = 'pending' AND channel = :channel AND account_id > line.account_id)"
    " FROM line WHERE line.account_id IS NOT NULL)"
    " SELECT account_id FROM line WHERE account_id IS NOT NULL AND (SELECT min(due_ms) FROM deliveries"
    " WHERE state = 'pending' AND channel = :channel AND account_id = line.account_id) <= :now_ms"
    " LIMIT :count"
)
_TO_OWNERS_ONLY: Final = ("alerts.folded", "alerts.paused")
_FIRST: Final = ("key.leaked", "key.old_secret_leaked")
"""Told whatever else was, some a day: there is none without a secret of the account, which it stops."""


class SqlOutboxRepository:
    def __init__(self, connection: Connection, channels: Channels) -> None:
        self._channels = channels
        self._connection = connection
        self._sendings = SqlSendingRepository(connection)
        self._addresses = SqlMailAddressRepository(connection)

    # What is told.

    def add(self, notice: Notice) -> bool:
        """Write a notice down with the ways it leaves by; False: it was told before, and nothing is added. What is
        beyond what the account may cause to be sent in a day is folded."""
        if not self._insert(notice):
            return False
        budgets = SqlBudgetRepository(self._connection)
        telling: list[Budget] = []
        if notice.type == "budget.threshold":
            found = budgets.get(notice.object_id)
            telling = [] if found is None else [found]
        elif notice.type not in _TO_OWNERS_ONLY:
            telling = budgets.on("account", notice.account_id)
        outside = [one.mail for one in telling if one.mail is not None]
        unconfirmed = self._addresses.unconfirmed(notice.account_id, outside)
        for way in ways(notice, self.owners(notice.account_id), telling, self._channels, unconfirmed):
            is_bounded = way.state == "pending" and not self._goes_first(notice, way)
            self._enter(notice, self._bounded(notice, way) if is_bounded else way)
        return True

    def add_way(self, notice: Notice, way: Delivery) -> None:
        """Write down a notice that leaves on one way, whatever the account's budgets tell."""
        if self._insert(notice):
            self._enter(notice, way)

    def _insert(self, notice: Notice) -> bool:
        row = row_of(notice)
        return bool(self._connection.execute(_ADD, row).rowcount)

    def _enter(self, notice: Notice, way: Delivery) -> None:
        row = structs.asdict(way) | {"account_id": notice.account_id, "time_ms": notice.time_ms}
        self._connection.execute(insert(deliveries).values(row))

    def _goes_first(self, notice: Notice, way: Delivery) -> bool:
        if way.channel != "mail" or notice.type not in _FIRST:
            return False
        return self._sendings.admit("leak", notice.account_id, notice.time_ms)

    def _bounded(self, notice: Notice, way: Delivery) -> Delivery:
        """The delivery as it may leave: without addresses that have had enough mail today, or folded."""
        channel = self._channels.by_name.get(way.channel)
        if channel is None:  # nothing leaves by a channel that nobody declared
            return way
        if not self._sendings.admit_on(channel, notice.account_id, notice.time_ms):
            return self._fold(notice, way, channel.fold_mark)
        if way.channel != "mail":
            return way
        left = [
            address
            for address in way.address.split(", ")
            if self._sendings.admit("recipient", address.lower(), notice.time_ms)
        ]
        return structs.replace(way, address=", ".join(left)) if left else self._fold(notice, way, channel.fold_mark)

    def _fold(self, notice: Notice, way: Delivery, mark: int) -> Delivery:
        """Count a delivery in the notice of its hour, which leaves when the hour is over: to the owners, else where
        the first one of the hour would have gone."""
        hour_ms = notice.time_ms - notice.time_ms % HOUR_MS
        place = ("alerts.folded", notice.account_id, hour_ms, mark)
        where = [column == value for column, value in zip(notices.primary_key, place, strict=True)]
        found = self._connection.execute(select(notices.c.data).where(*where)).scalar()
        if found is not None:
            data = json.decode(found)
            data["folded"] += 1
            data[notice.type] = data.get(notice.type, 0) + 1
            self._connection.execute(update(notices).where(*where).values(data=json.encode(data).decode()))
        else:
            folded = Notice(
                id=notice_id("alerts.folded", notice.account_id, hour_ms, mark),
                type="alerts.folded",
                object_id=notice.account_id,
                episode=hour_ms,
                mark=mark,
                account_id=notice.account_id,
                time_ms=notice.time_ms,
                data={"account": notice.account_id, "from": rfc3339(hour_ms), "folded": 1, notice.type: 1},
            )
            owners = self.owners(notice.account_id)
            kept = structs.replace(way, id=f"{folded.id}_1", notice_id=folded.id, due_ms=hour_ms + HOUR_MS)
            if owners:
                kept = structs.replace(kept, channel="mail", address=", ".join(owners), budget_id=None)
            self.add_way(folded, kept)
        return structs.replace(way, state="folded", ended_at_ms=notice.time_ms, answer=FOLDED)

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

    def accounts_due(self, channel: Channel, after: str, now_ms: int, count: int) -> list[str]:
        """Accounts of which something is due on one way, in the order of their ids, behind `after`."""
        values = {"channel": channel, "after": after, "now_ms": now_ms, "count": count}
        return list(self._connection.execute(_ACCOUNTS_DUE, values).scalars())

    def waiting(self, channel: Channel, account_id: str, now_ms: int, count: int) -> list[DueDelivery]:
        """Deliveries of one account on one way that are due, those first that are due longest."""
        chosen = deliveries.c.id, deliveries.c.address, deliveries.c.due_ms, deliveries.c.attempts, deliveries.c.time_ms
        question = (
            select(*chosen, notices.c.mark)
            .join(notices, notices.c.id == deliveries.c.notice_id)
            .where(_PENDING, deliveries.c.channel == channel, deliveries.c.account_id == account_id)
            .where(deliveries.c.due_ms <= now_ms)
            .order_by(deliveries.c.due_ms, deliveries.c.time_ms, deliveries.c.id)
            .limit(count)
        )
        return [record(row, DueDelivery) for row in self._connection.execute(question).mappings()]

    def claim(self, ids: Sequence[str], now_ms: int, until_ms: int) -> list[QueuedDelivery]:
        """Of these deliveries, those that are still due; until `until_ms` they are nobody else's."""
        # Whoever waited here for another's claim must find that they are due no more.
        taken = update(deliveries).where(deliveries.c.id.in_(ids), _PENDING, deliveries.c.due_ms <= now_ms)
        claimed = self._connection.execute(taken.values(due_ms=until_ms).returning(deliveries.c.id)).scalars().all()
        found = self._told(deliveries.c.id.in_(claimed))
        return sorted(found, key=lambda queued: (queued.notice.time_ms, queued.notice.mark, queued.delivery.id))

    def pause(self, receiver: Receiver, until_ms: int) -> int:
        """What waits for a receiver is due no sooner; the answer is how much that is."""
        waits = _for(receiver), deliveries.c.due_ms < until_ms
        return self._connection.execute(update(deliveries).where(*waits).values(due_ms=until_ms)).rowcount

    def resume_receiver(self, receiver: Receiver, paused_until_ms: int, now_ms: int) -> None:
        """What was paused until then is due now."""
        paused = _for(receiver), deliveries.c.due_ms == paused_until_ms
        self._connection.execute(update(deliveries).where(*paused).values(due_ms=now_ms))

    def give_up(self, receiver: Receiver, before_ms: int, now_ms: int, words: str) -> None:
        """What has waited for a receiver since before then is over."""
        waits = _for(receiver), deliveries.c.time_ms < before_ms
        given_up = update(deliveries).where(*waits)
        self._connection.execute(given_up.values(state="failed", ended_at_ms=now_ms, answer=words))

    def resume(self, now_ms: int) -> None:
        """At a start: what a killed process was about to send is due at once. On PostgreSQL another may be sending it
        at this moment, and its claim is waited for."""
        if self._connection.dialect.name == "sqlite":
            self._connection.execute(update(deliveries).where(_PENDING).values(due_ms=now_ms))

    def next_due_ms(self) -> int | None:
        found: int | None = self._connection.execute(select(func.min(deliveries.c.due_ms)).where(_PENDING)).scalar()
        return found

    def pending(self) -> int:
        """How many deliveries wait."""
        return int(self._connection.execute(select(func.count()).where(_PENDING)).scalar_one())

    def note(self, delivery: Delivery) -> None:
        """What has become of a delivery."""
        row = structs.asdict(delivery)
        self._connection.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(row))

    def page(self, *, before: Cursor | None, limit: int, account_id: str | None = None) -> list[QueuedDelivery]:
        question = select(deliveries.c.id)
        if account_id is not None:
            question = question.where(deliveries.c.account_id == account_id)
        question = page(question, deliveries.c.time_ms, deliveries.c.id, before, limit)
        ids = self._connection.execute(question).scalars().all()
        found = self._told(deliveries.c.id.in_(ids))
        return sorted(found, key=lambda queued: (queued.notice.time_ms, queued.delivery.id), reverse=True)

    def _told(self, which: Any) -> list[QueuedDelivery]:
        question = select(notices, *(column.label(f"d_{column.name}") for column in deliveries.columns))
        question = question.join(deliveries, deliveries.c.notice_id == notices.c.id).where(which)
        return [
            QueuedDelivery(
                notice=record({name: row[name] for name in Notice.__struct_fields__}, Notice),
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


def _for(receiver: Receiver) -> ColumnElement[bool]:
    account_id, channel, address = receiver
    return and_(
        _PENDING,
        deliveries.c.channel == channel,
        deliveries.c.account_id == account_id,
        deliveries.c.address == address,
    )

"""Rows of tickets on both databases: lists by whose turn it is, counts, and who wrote."""

import asyncio
from collections.abc import Mapping
from functools import partial

from msgspec import structs

from tests.store.samples import NOW_MS, FixedClock, account, person
from tollhouse.core.ticket import Ticket, TicketMessage
from tollhouse.store.database import open_store
from tollhouse.store.tables import SqlRepositories

TICKET = Ticket(
    id="tkt_1",
    account_id="acc_1",
    subject="税关 \U0001f469\u200d\U0001f4bb",
    request_id="req_1",
    bundle={"status": "502", "message": "line\nline"},
    content="{}\n\t'\"",
    opened_by="per_1",
    messages=1,
    created_at_ms=NOW_MS,
    changed_at_ms=NOW_MS,
    asked_at_ms=NOW_MS,
)


def message(number: int, author_id: str, **more: object) -> TicketMessage:
    made = TicketMessage(
        id=f"tmg_{number}",
        ticket_id="tkt_1",
        side="account",
        author_id=author_id,
        author_kind="person",
        text="text\nin lines",
        created_at_ms=NOW_MS + number,
    )
    return structs.replace(made, **more)


def delete_closed(before_ms: int, tables: SqlRepositories) -> int:
    return tables.tickets.delete_closed(before_ms, 5)


def test_tickets_are_listed_by_turn_counted_and_their_writers_known(database_url: str) -> None:
    closed = structs.replace(TICKET, id="tkt_2", state="closed", changed_at_ms=NOW_MS + 2)
    answered = structs.replace(TICKET, id="tkt_3", turn="account", request_id=None, changed_at_ms=NOW_MS + 3)
    newest = structs.replace(TICKET, id="tkt_4", changed_at_ms=NOW_MS + 4)
    told: Mapping[str, str] = {"usd": "0.5"}
    event = message(3, "per_2", side="platform", text="", event="refund", told=told)

    def write(tables: SqlRepositories) -> None:
        tables.accounts.add(account())
        tables.people.add(person())
        for ticket in (TICKET, closed, answered, newest):
            tables.tickets.add(ticket)
        for one in (message(1, "per_1"), message(2, "per_1"), message(4, "key_1", author_kind="admin_key"), event):
            tables.ticket_messages.add(one)

    async def scenario() -> None:
        store = open_store(database_url, create=False, clock=FixedClock())
        await store.change(write)
        found = await store.read(
            lambda tables: tables.tickets.page(before=None, limit=9, state="open", turn="platform")
        )
        assert found == [newest, TICKET]
        rest = await store.read(lambda tables: tables.tickets.page(before=(NOW_MS + 3, "tkt_3"), limit=1))
        assert rest == [closed]
        counted = await store.read(
            lambda tables: (tables.tickets.open_of("acc_1"), tables.tickets.waiting(9), tables.tickets.waiting(1))
        )
        assert counted == (3, 2, 1)
        kept = await store.read(
            lambda tables: (
                tables.tickets.kept_of("acc_1", 9),
                tables.tickets.kept_of("acc_1", 2),
                tables.tickets.kept_of("x", 9),
            )
        )
        assert kept == (4, 2, 0)
        waiting = await store.read(lambda tables: tables.tickets.longest_waiting(before=None, limit=1))
        assert waiting == [TICKET]
        place = (TICKET.asked_at_ms, TICKET.id)
        later = await store.read(
            lambda tables: tables.tickets.longest_waiting(before=place, limit=9, account_id="acc_1")
        )
        assert later == [newest]
        other = await store.read(lambda tables: tables.tickets.longest_waiting(before=None, limit=9, account_id="x"))
        assert other == []
        thread = await store.read(lambda tables: tables.ticket_messages.page(before=None, limit=2, ticket_id="tkt_1"))
        assert [one.id for one in thread] == ["tmg_4", "tmg_3"]
        assert thread[1] == event
        writers = await store.read(lambda tables: tables.ticket_messages.writers("tkt_1", "account", 9))
        assert writers == ["per_1"]
        known = await store.read(lambda tables: (tables.people.with_ids([]), tables.people.with_ids([person().id])))
        assert known == ([], [person()])
        for before_ms, gone in ((NOW_MS + 2, 0), (NOW_MS + 3, 1), (NOW_MS + 3, 0)):
            assert await store.change(partial(delete_closed, before_ms)) == gone
        left = await store.read(lambda tables: tables.tickets.page(before=None, limit=9))
        assert [one.id for one in left] == ["tkt_4", "tkt_3", "tkt_1"]
        await store.close()

    asyncio.run(scenario())

"""What one account has waiting delays no other's alerts, and a receiver that takes nothing is asked less and less."""

import asyncio
from pathlib import Path
from typing import Any

from tests.channels import CHANNELS
from tests.services.fake_delivery import URL, FakeDelivery, send_all
from tests.services.harness import NOW_MS, SettableClock, run
from tests.services.test_money import owner_of
from tollhouse.core.channel import Channel
from tollhouse.core.notice import Delivery, DeliveryResult, Notice
from tollhouse.services import alerts, outbox
from tollhouse.services.context import ServiceContext
from tollhouse.services.dispatch import DeliveriesInProgress
from tollhouse.services.outbox import GIVE_UP_MS, GIVEN_UP, TELL_AFTER
from tollhouse.services.receivers import BACK_OFF_MS, KEPT_MAX, Receivers
from tollhouse.store.tables import SqlRepositories


def waits(
    tables: SqlRepositories, account_id: str, number: int, address: str, channel: Channel = "mail", **more: Any
) -> None:
    """A delivery that is due."""
    notice = Notice(
        id=f"msg_{account_id}_{number}",
        type="balance.low",
        object_id=account_id,
        episode=number,
        mark=0,
        account_id=account_id,
        time_ms=NOW_MS + number,
        data={"account": account_id},
    )
    way = Delivery(id=f"{notice.id}_1", notice_id=notice.id, channel=channel, address=address, **more)
    tables.outbox.add_way(notice, way)


async def fill(
    services: ServiceContext, account_id: str, count: int, hosts: int = 1, channel: Channel = "mail"
) -> None:
    def all_of_them(tables: SqlRepositories) -> None:
        for number in range(count):
            waits(tables, account_id, number, f"n{number % hosts}@example.org", channel)

    await services.rows.change(all_of_them)


def test_an_alert_leaves_at_once_beside_300_to_receivers_that_hang(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        post.lets_go.clear()
        await fill(services, "acc_a", 300, hosts=40)
        running = asyncio.ensure_future(outbox.run(services, outbox.NOBODY))
        await post.came(CHANNELS.by_name["mail"].each)
        await fill(services, "acc_b", 1)
        services.news.set()
        await post.came(CHANNELS.by_name["mail"].each + 1)
        assert post.sent[-1].id == "msg_acc_b_0", "it waits for nothing that A has waiting"
        assert len(post.sent) == CHANNELS.by_name["mail"].each + 1
        running.cancel()
        post.lets_go.set()
        await services.finish()

    run(tmp_path, scenario)


def test_a_mail_server_that_hangs_does_not_delay_chats(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        post.lets_go.clear()
        for number in range(20):
            await fill(services, f"acc_{number}", 3, hosts=3)
        running = asyncio.ensure_future(outbox.run(services, outbox.NOBODY))
        await post.came(CHANNELS.by_name["mail"].in_all)
        await services.rows.change(lambda tables: waits(tables, "acc_99", 1, "slack://a/b/c", "chat"))
        services.news.set()
        await post.came(CHANNELS.by_name["mail"].in_all + 1)
        assert post.sent[-1].channel == "chat"
        mailed = {one.id.rpartition("_")[0] for one in post.sent if one.channel == "mail"}
        assert len(mailed) == CHANNELS.by_name["mail"].in_all // CHANNELS.by_name["mail"].each, "accounts take turns"
        running.cancel()
        post.lets_go.set()
        await services.finish()

    run(tmp_path, scenario)


def test_accounts_take_turns_until_all_have_been_served(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        accounts = [f"acc_{letter}" for letter in "abcdefghijklmno"]
        for account_id in accounts:
            await fill(services, account_id, 6, hosts=6)
        order: list[str] = []
        while await outbox.deliver(services):
            order += [one.id.rsplit("_", 1)[0].removeprefix("msg_") for one in post.sent[len(order) :]]
            counts = [order.count(account_id) for account_id in accounts]
            assert max(counts) - min(counts) <= CHANNELS.by_name["mail"].each, counts
        assert {order.count(account_id) for account_id in accounts} == {6}

    run(tmp_path, scenario)


def test_what_is_looked_at_does_not_grow_with_what_another_has_waiting(tmp_path: Path) -> None:
    """Counted in rows that are handed over: the plan that the database follows is looked at beside it."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        await fill(services, "acc_a", 3_000, hosts=1)
        await fill(services, "acc_b", 1)
        seen: list[str] = []

        def choose(tables: SqlRepositories) -> list[str]:
            chosen = DeliveriesInProgress().choose(tables, Receivers(BACK_OFF_MS), CHANNELS, clock.ms)
            engine: Any = tables.outbox
            question = (
                "EXPLAIN QUERY PLAN SELECT min(account_id) FROM deliveries"
                " WHERE state = 'pending' AND channel = 'mail' AND account_id > ''"
            )
            seen.extend(row[3] for row in engine._connection.exec_driver_sql(question))
            return chosen.ids

        assert sorted(await services.rows.read(choose)) == ["msg_acc_a_0_1", "msg_acc_b_0_1"]
        assert all("ix_deliveries_lines" in line for line in seen if line.startswith("SEARCH")), seen
        assert any(line.startswith("SEARCH") for line in seen)

    run(tmp_path, scenario)


def test_a_dead_receiver_is_paused_with_all_that_waits_for_it_and_the_owner_is_told(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        account, owner = await owner_of(services, email="owner@example.org")
        post.answers["chat"] = DeliveryResult(ok=False, words="no answer in time")

        def all_of_them(tables: SqlRepositories) -> None:
            for number in range(300):
                waits(tables, account.id, number, "slack://a/b/c", "chat")
            waits(tables, account.id, 300, "discord://a/b", "chat")

        await services.rows.change(all_of_them)
        clock.ms = NOW_MS + 1_000
        tries = []
        for _ in range(8):
            await send_all(services)
            tries.append(sum(one.address.startswith("slack") for one in post.sent))
            due_ms = await services.rows.read(lambda tables: tables.outbox.next_due_ms())
            assert due_ms is not None
            clock.ms = due_ms
        assert tries[-1] <= 9, tries
        notes = [one for one in post.sent if "does not answer" in one.subject]
        assert [note.address for note in notes] == ["owner@example.org"]
        assert "300" in notes[0].text
        assert "slack://..." in notes[0].text
        assert "a/b/c" not in notes[0].text
        assert TELL_AFTER < 8
        # It takes one again: everything leaves at once.
        post.answers["chat"] = DeliveryResult(ok=True, status=200, words="thanks")
        await send_all(services)
        records = (await alerts.list_page(services, owner, limit=100)).records
        left = [row for row in records if row.delivery.state == "pending"]
        assert len(left) < 9, "only those that were tried keep their own back-off"

    run(tmp_path, scenario)


def test_what_waited_three_days_for_a_dead_receiver_is_given_up_and_newer_is_not(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        account, owner = await owner_of(services)
        post.answers["chat"] = DeliveryResult(ok=False, words="no answer in time")
        later = GIVE_UP_MS + 10_000
        await services.rows.change(lambda tables: waits(tables, account.id, 0, URL.replace("https", "slack"), "chat"))
        await services.rows.change(lambda tables: waits(tables, account.id, 1, URL.replace("https", "slack"), "chat"))
        await services.rows.change(
            lambda tables: waits(tables, account.id, later, URL.replace("https", "slack"), "chat")
        )
        clock.ms = NOW_MS + later
        await send_all(services)
        records = (await alerts.list_page(services, owner)).records
        assert records[0].delivery.state == "pending"
        assert [row.delivery.state for row in records[1:]] == ["failed", "failed"]
        assert [row.delivery.answer for row in records[1:]] == [GIVEN_UP, "no answer in time"]
        assert len(post.sent) == 2, "one try tells for all that are as old"

    run(tmp_path, scenario)


def test_the_memory_of_failed_receivers_is_bounded() -> None:
    receivers = Receivers(BACK_OFF_MS)
    for number in range(KEPT_MAX + 500):
        receivers.failed(("acc", "mail", f"n{number}@example.org"), NOW_MS)
    assert receivers.paused_until_ms(("acc", "mail", "n0@example.org")) == 0
    assert receivers.paused_until_ms(("acc", "mail", f"n{KEPT_MAX}@example.org")) == NOW_MS + BACK_OFF_MS[0]
    for _ in range(50):
        pause = receivers.failed(("acc", "mail", "x@example.org"), NOW_MS)
    assert pause.until_ms == NOW_MS + BACK_OFF_MS[-1]
    assert receivers.works(("acc", "mail", "x@example.org")) is pause
    assert receivers.works(("acc", "mail", "x@example.org")) is None


def test_the_bounds_are_those_of_the_page() -> None:
    page = Path("docs/alerts.md").read_text()
    assert {"mail", "webhook", "chat"} <= set(CHANNELS.by_name)
    for name, channel in CHANNELS.by_name.items():
        assert f"| `{name}` | {channel.per_day:,} | {channel.each} | {channel.in_all} |" in page, name

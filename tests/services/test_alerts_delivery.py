"""Notices leave: tried until they arrive or three days are over, to where the budget says now, after a restart."""

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.services.fake_delivery import URL, FakeDelivery, scenario_of, send_all, spends, told
from tests.services.harness import OPERATOR, SettableClock, audited, of_account, run
from tests.services.test_money import commit
from tollhouse.billing.budgets import Budget
from tollhouse.core.notice import DeliveryResult
from tollhouse.services import alerts, budgets, outbox
from tollhouse.services.context import ServiceContext
from tollhouse.services.receivers import BACK_OFF_MS

DAY_MS = 86_400_000
HOUR_MS = 3_600_000


def test_a_receiver_that_is_down_for_three_days_hears_it_at_last_or_is_given_up(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        owner = of_account(budget.account_id)
        post.answers["webhook"] = DeliveryResult(ok=False, status=503, words="later")
        await commit(services, spends(1, budget, 50))
        await send_all(services)
        assert len(post.sent) == 2
        tries = [clock.ms]
        while (due_ms := await services.rows.read(lambda tables: tables.outbox.next_due_ms())) is not None:
            clock.ms = due_ms - 1
            assert await outbox.deliver(services) == 0
            clock.ms = due_ms
            assert await outbox.deliver(services) == 1
            tries.append(clock.ms)
            await send_all(services)  # the owner hears that the receiver does not answer
        assert [later - earlier for earlier, later in pairwise(tries)] == list(BACK_OFF_MS)
        assert tries[-1] - tries[0] >= 3 * 24 * HOUR_MS - 4 * HOUR_MS
        records = (await alerts.list_page(services, owner)).records
        hook, mail = [row for row in records if row.notice.type == "budget.threshold"]
        assert [row.notice.type for row in records if row.notice.type != "budget.threshold"] == ["alerts.paused"]
        assert (hook.delivery.state, hook.delivery.attempts, hook.delivery.answer) == (
            "failed",
            len(tries),
            "503 later",
        )
        assert (mail.delivery.state, mail.delivery.attempts) == ("sent", 1)
        thresholds = [one.id for one in post.sent if "does not answer" not in one.subject]
        assert len(set(thresholds)) == 1, "the same id at every try"
        clock.ms += DAY_MS * 3
        assert await outbox.deliver(services) == 0
        await commit(services, spends(2, budget, 50, time_ms=clock.ms))
        await send_all(services)
        clock.ms += BACK_OFF_MS[0]
        post.answers["webhook"] = DeliveryResult(ok=True, status=200, words="thanks")
        await send_all(services)
        newest = (await alerts.list_page(services, owner, limit=1)).records[0]
        assert (newest.delivery.state, newest.delivery.attempts) == ("sent", 2)

    run(tmp_path, scenario)


def test_of_several_readers_only_those_who_were_refused_for_now_are_written_to_again(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services, webhook=None)
        post.answers["mail"] = DeliveryResult(ok=False, status=452, words="full", left=("ops@example.org",))
        await commit(services, spends(1, budget, 50))
        await send_all(services)
        clock.ms += BACK_OFF_MS[0]
        await send_all(services)
        assert [one.address for one in post.sent] == ["owner@example.org, ops@example.org", "ops@example.org"]

    run(tmp_path, scenario)


def test_gone_for_good_is_not_tried_again(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        post.answers["webhook"] = DeliveryResult(ok=False, status=410, words="gone", final=True)
        await commit(services, spends(1, budget, 50))
        await send_all(services)
        assert await services.rows.read(lambda tables: tables.outbox.next_due_ms()) is None

    run(tmp_path, scenario)


def test_a_webhook_follows_its_budget_and_ends_with_it(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        owner = of_account(budget.account_id)
        same: dict[str, Any] = {"amount_usd": "0.0000001", "window": "day", "account": budget.account_id}
        post.answers["webhook"] = DeliveryResult(ok=False, words="typo")
        await commit(services, spends(1, budget, 50))
        await send_all(services)
        await budgets.put(services, owner, **same, soft=(50, 80), webhook="https://right.example/")
        clock.ms += BACK_OFF_MS[0]
        await send_all(services)
        assert [one.address for one in post.sent if one.channel == "webhook"] == [URL, "https://right.example/"]
        await budgets.remove(services, owner, budget.id)
        clock.ms += BACK_OFF_MS[1]
        await send_all(services)
        assert len([one for one in post.sent if one.channel == "webhook"]) == 2
        newest = (await alerts.list_page(services, owner, limit=1)).records[0].delivery
        assert (newest.state, newest.answer) == ("failed", outbox.NO_WEBHOOK.words)

    run(tmp_path, scenario)


def test_a_chat_service_gets_the_words_of_the_mail_and_no_secret(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services, webhook="slack://a/token/b")
        assert await budgets.reveal(services, budget) is None
        await commit(services, spends(1, budget, 50))
        await send_all(services)
        assert told(post, "chat") == told(post, "mail") == [50]
        mail, chat = sorted(post.sent, key=lambda one: one.channel, reverse=True)
        assert (chat.address, chat.subject, chat.text) == ("slack://a/token/b", mail.subject, mail.text)
        (tried,) = await alerts.try_out(services, of_account(budget.account_id), webhook="discord://a/b")
        assert (tried.delivery.channel, tried.answer.ok, tried.secret) == ("chat", True, None)

    run(tmp_path, scenario)


def test_the_audit_shows_where_a_webhook_leads_and_not_what_opens_it(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, _ = await scenario_of(services, webhook="https://hooks.example/T00/B00/token-1")
        same: dict[str, Any] = {"amount_usd": "0.0000001", "window": "day", "account": budget.account_id}
        for webhook in ("https://hooks.example/T00/B00/token-2", "slack://T00/B00/token-3"):
            await budgets.put(services, OPERATOR, webhook=webhook, **same)
        rows = [row for row in await audited(services) if row.action == "budget.set"]
        shown = [(row.before.get("webhook"), row.after.get("webhook")) for row in rows]
        masked = "https://hooks.example/..."
        assert shown[1:] == [(None, masked), (masked, masked), (masked, "slack://...")]

    run(tmp_path, scenario)


def test_what_was_written_down_leaves_after_a_restart(tmp_path: Path) -> None:
    async def first(services: ServiceContext, clock: SettableClock) -> Budget:
        budget, _ = await scenario_of(services)
        await commit(services, spends(1, budget, 85))
        # Claimed, and then the process is no more.
        rows = (await alerts.list_page(services, of_account(budget.account_id))).records
        ids = [row.delivery.id for row in rows]
        claimed = await services.rows.change(lambda tables: tables.outbox.claim(ids, clock.ms, clock.ms + HOUR_MS))
        assert len(claimed) == 4
        assert await outbox.deliver(services) == 0
        return budget

    async def second(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        running = asyncio.ensure_future(outbox.run(services, outbox.NOBODY))
        await post.came(4)
        running.cancel()
        assert told(post, "mail") == told(post, "webhook") == [50, 80]
        await commit(services, spends(2, budget, 5))
        await send_all(services)
        assert len(post.sent) == 4

    budget = run(tmp_path, first)
    run(tmp_path, second)


def test_what_has_left_is_noted_when_the_process_ends_in_good_order(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        post.lets_go.clear()
        await commit(services, spends(1, budget, 50))
        running = asyncio.ensure_future(outbox.run(services, outbox.NOBODY))
        await post.came(2)
        running.cancel()
        await asyncio.wait([running])
        post.lets_go.set()
        await services.finish()
        rows = (await alerts.list_page(services, of_account(budget.account_id))).records
        assert [row.delivery.state for row in rows] == ["sent", "sent"]

    run(tmp_path, scenario)


def test_the_outbox_is_woken_by_the_charge_and_outlives_a_defect(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        services.rows.writer.on_notice = services.news.set  # type: ignore[attr-defined]
        seen: list[BaseException] = []

        class RecordingObserver(outbox.NoObserver):
            def defect(self, request_id: str, error: BaseException) -> None:
                seen.append(error)

        running = asyncio.ensure_future(outbox.run(services, RecordingObserver()))
        post.raises = ZeroDivisionError()
        await commit(services, spends(1, budget, 50))
        await post.came(2)
        post.raises = None
        await commit(services, spends(2, budget, 30))
        await post.came(4)
        running.cancel()
        assert {type(error) for error in seen} == {ZeroDivisionError}
        assert told(post, "webhook")[-1:] == told(post, "mail")[-1:] == [80]

    run(tmp_path, scenario)

"""Alerts: each threshold once a window however it is reached, tried until it arrives or three days are over, and shown
to whom it concerns."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.services.fake_delivery import URL, FakeDelivery, scenario_of, send_all, spends, told
from tests.services.harness import NOW_MS, OPERATOR, SettableClock, audited, of_account, run
from tests.services.test_money import call, commit, owner_of
from tollhouse.access.vault import Vault
from tollhouse.billing.notices import NOBODY
from tollhouse.core.failure import BadRequest, PathNotFound, RateLimited
from tollhouse.core.notice import DeliveryResult
from tollhouse.services import accounts, alerts, budgets, credits, keys, outbox, people  # noqa: A004 - the noun
from tollhouse.services.context import ServiceContext


def test_twenty_calls_at_once_from_40_to_100_percent_tell_each_threshold_once(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        await commit(services, spends(1, budget, 40))
        await send_all(services)
        assert post.sent == []
        await commit(services, *(spends(number, budget, 3) for number in range(2, 22)))
        await send_all(services)
        assert told(post, "mail") == told(post, "webhook") == [50, 80, 100]
        await commit(services, *(spends(number, budget, 1) for number in range(22, 42)))
        await send_all(services)
        assert len(post.sent) == 6, "none again in this window"
        clock.ms += 86_400_000
        await commit(services, *(spends(number, budget, 60, time_ms=clock.ms) for number in range(42, 44)))
        await send_all(services)
        assert told(post, "mail")[3:] == told(post, "webhook")[3:] == [50, 80, 100]
        assert len({one.id for one in post.sent}) == 6, "each notice has an id of its own, the same on both ways"

    run(tmp_path, scenario)


def test_what_a_webhook_says(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        account, owner = await owner_of(services)
        key = (await keys.create(services, owner, name="ci")).key
        places = []
        for level, soft in (("key", 10), ("project", 20), ("account", 30)):
            on = {"key": key.id, "project": key.project_id, "account": account.id}[level]
            given: dict[str, Any] = {level: on, "soft": (soft,), "webhook": f"https://hooks.example/{level}"}
            budget = await budgets.put(services, owner, amount_usd="0.0000001", window="month", **given)
            places.append((budget.id, budget.window(NOW_MS).start_ms))
        of_key: dict[str, Any] = {"key_id": key.id, "project_id": key.project_id}
        await commit(services, call(1, account.id, 40, budgets=tuple(places), last_byte_ms=8, **of_key))
        total = await budgets.put(
            services, owner, amount_usd="0.0000002", window="total", key=key.id, soft=(20,), webhook=URL
        )
        await commit(services, call(2, account.id, 41, budgets=((total.id, NOW_MS),), **of_key))
        await send_all(services)
        bodies = [json.loads(one.body) for one in post.sent if one.channel == "webhook"]
        assert {body["type"] for body in bodies} == {"budget.threshold"}
        assert {body["timestamp"] for body in bodies} == {"2026-09-21T14:13:20.008Z"}
        shared = {"limit_usd": "0.0000001", "used_usd": "0.00000004", "resets_at": "2026-10-01T00:00:00Z"}
        shared["account"] = account.id
        bodies.sort(key=lambda body: bool(body["data"]["resets_at"]), reverse=True)
        found = {body["data"]["level"]: body["data"] for body in bodies[:3]}
        ids = {level: data.pop("budget_id") for level, data in found.items()}
        assert all(budget_id.startswith("bud_") for budget_id in ids.values())
        assert found == {
            "key": shared | {"level": "key", "threshold_percent": 10, "project": key.project_id, "key": key.id},
            "project": shared | {"level": "project", "threshold_percent": 20, "project": key.project_id},
            "account": shared | {"level": "account", "threshold_percent": 30},
        }
        assert bodies[3]["data"]["resets_at"] is None
        assert bodies[3]["data"]["used_usd"] == "0.000000041"

    run(tmp_path, scenario)


def test_what_a_mail_says_and_to_whom(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        await accounts.create(services, OPERATOR, name="other", email="other@example.org")
        for email, role in (("dev@example.org", "developer"), ("second@example.org", "owner")):
            await people.create(
                services, OPERATOR, email=email, password="correct horse battery", role=role, account=budget.account_id
            )
        await commit(services, spends(1, budget, 85))
        await send_all(services)
        mails = [one for one in post.sent if one.channel == "mail"]
        assert [one.address for one in mails] == ["owner@example.org, second@example.org, ops@example.org"] * 2
        assert "80 %" in mails[1].subject
        lines = [line.strip() for line in mails[1].text.splitlines()]
        shown = dict(line.split(": ", 1) for line in lines if ": " in line)
        shown = {name: value.strip() for name, value in shown.items()}
        assert shown == {
            "Level": "account",
            "Account": f'account "mine" ({budget.account_id})',
            "Budget": budget.id,
            "Reached": "80 %",
            "Limit": "0.0000001 USD",
            "Used": "0.000000085 USD",
            "Resets": "2026-09-22T00:00:00Z",
            "Id of this notice": mails[1].id,
        }

    run(tmp_path, scenario)


def test_an_accounts_own_address_is_told_and_nobody_twice(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        account, owner = await owner_of(services, email="Pay@example.org")
        budget = await budgets.put(
            services, owner, amount_usd="0.0000001", window="day", account=account.id, soft=(1,), mail="pay@EXAMPLE.org"
        )
        await commit(services, spends(1, budget, 2))
        await send_all(services)
        assert [one.address for one in post.sent] == ["pay@EXAMPLE.org"]

    run(tmp_path, scenario)


def test_with_nobody_to_tell_the_list_says_so(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account, owner = await owner_of(services)
        budget = await budgets.put(services, owner, amount_usd="0.0000001", window="day", account=account.id, soft=(1,))
        await commit(services, spends(1, budget, 2))
        assert await outbox.deliver(services) == 0
        (row,) = (await alerts.list_page(services, owner)).records
        assert (row.delivery.channel, row.delivery.state, row.delivery.answer) == ("none", "failed", NOBODY)

    run(tmp_path, scenario)


def test_other_changes_of_a_counter_tell_nothing_twice(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        owner = of_account(budget.account_id)
        first = spends(1, budget, 60)
        await commit(services, first)
        await credits.refund(services, OPERATOR, first.id)
        await commit(services, spends(2, budget, 5))
        await send_all(services)
        assert told(post, "webhook") == [50]
        same: dict[str, Any] = {"window": "day", "account": budget.account_id, "webhook": URL}
        await budgets.put(services, owner, amount_usd="0.00000007", soft=(50, 90, 100), **same)
        await send_all(services)
        assert told(post, "webhook") == [50, 90], "what is reached already is told when the budget is set"
        await budgets.put(services, owner, amount_usd="0.000001", soft=(50, 90), **same)
        await commit(services, spends(3, budget, 600))
        await send_all(services)
        assert told(post, "webhook") == [50, 90], "once per threshold and window, whatever the amount"
        fresh = await budgets.put(
            services, owner, amount_usd="0.000001", window="month", account=budget.account_id, soft=(1,), webhook=URL
        )
        await send_all(services)
        assert told(post, "webhook") == [50, 90, 1], "a new budget counts what its window holds already"
        assert json.loads(post.sent[-1].body)["data"]["budget_id"] == fresh.id

    run(tmp_path, scenario)


def test_only_charges_of_live_calls_cross_a_threshold(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        held = structs.replace(spends(1, budget, 99), charge=None)
        await commit(services, held, structs.replace(spends(2, budget, 99), mode="test"), spends(3, budget, 0))
        await send_all(services)
        assert post.sent == []

    run(tmp_path, scenario)


def test_signing_secrets_are_kept_encrypted_where_there_is_a_master_key(tmp_path: Path) -> None:
    """Also those that were kept before there was one; what cannot be read is said, and nothing is sent."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)

        async def kept() -> str:
            found = await services.rows.read(lambda tables: tables.outbox.secret(budget.id))
            assert found is not None
            return found[1]

        first = await kept()
        assert first.startswith("whsec_"), "there is no master key"
        services.vault = Vault("a master key of some length")
        await commit(services, spends(1, budget, 50))
        sending = asyncio.create_task(outbox.run(services, outbox.NOBODY))
        await post.came(2)
        sending.cancel()
        assert [one.secret for one in post.sent if one.channel == "webhook"] == [first]
        assert (await kept()).startswith("enc:v1:")
        assert first not in await kept()
        assert await budgets.reveal(services, budget) == first
        address, post.sent = "https://other.example", []
        same: dict[str, Any] = {"window": "day", "account": budget.account_id, "soft": (50, 80, 100)}
        await budgets.put(services, OPERATOR, amount_usd="0.0000001", webhook=address, **same)
        assert (await kept()).startswith("enc:v1:")
        services.vault = Vault("another master key altogether")
        assert await budgets.reveal(services, structs.replace(budget, webhook=address)) is None
        (mail, hook) = await alerts.try_out(services, OPERATOR, budget=budget.id)
        assert mail.answer.ok
        assert "encrypted by another master key" in hook.answer.words
        assert [one.channel for one in post.sent] == ["mail"]

    run(tmp_path, scenario)


def test_a_signing_secret_is_shown_once_and_stays_with_its_address(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        owner = of_account(budget.account_id)
        same: dict[str, Any] = {"window": "day", "account": budget.account_id, "soft": (50, 80, 100)}
        first = await budgets.reveal(services, budget)
        assert first is not None
        assert first.startswith("whsec_")
        assert await budgets.reveal(services, budget) is None
        again = await budgets.put(services, owner, amount_usd="0.0000001", webhook=URL, **same)
        assert await budgets.reveal(services, again) is None, "its receiver goes on as it was"
        await commit(services, spends(1, budget, 50))
        await send_all(services)
        assert [one.secret for one in post.sent if one.channel == "webhook"] == [first]
        other = await budgets.put(services, owner, amount_usd="0.0000001", webhook="https://other.example", **same)
        second = await budgets.reveal(services, other)
        assert second not in (None, first)
        elsewhere = await budgets.put(
            services, owner, amount_usd="0.0000001", webhook="https://other.example", zone="Asia/Tokyo", **same
        )
        assert elsewhere.id != other.id
        assert await budgets.reveal(services, elsewhere) is None
        await budgets.put(services, owner, amount_usd="0.0000001", zone="Asia/Tokyo", **same)
        last = await budgets.put(
            services, owner, amount_usd="0.0000001", webhook="https://other.example", zone="Asia/Tokyo", **same
        )
        assert await budgets.reveal(services, last) not in (None, first, second)
        shown = json.dumps([structs.asdict(row) for row in await audited(services)])
        assert "whsec_" not in shown

    run(tmp_path, scenario)


def test_an_address_that_the_post_refuses_is_no_webhook(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        post.refused = "the address is not public"
        for transaction in (
            budgets.put(
                services, OPERATOR, amount_usd="1", window="day", account=budget.account_id, webhook="http://10.0.0.1/"
            ),
            alerts.try_out(services, OPERATOR, webhook="http://10.0.0.1/"),
        ):
            with pytest.raises(BadRequest, match="not public") as refused:
                await transaction
            assert refused.value.param == "webhook"
        with pytest.raises(BadRequest) as refused:
            await budgets.put(
                services, OPERATOR, amount_usd="1", window="day", account=budget.account_id, mail="nobody"
            )
        assert refused.value.param == "mail"

    run(tmp_path, scenario)


def test_a_test_shows_the_answer_of_each_way(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        owner = of_account(budget.account_id)
        secret = await budgets.reveal(services, budget)
        post.answers["webhook"] = DeliveryResult(ok=False, status=500, words="no")
        mail, hook = await alerts.try_out(services, owner, budget=budget.id)
        assert (mail.delivery.address, mail.answer.ok) == ("owner@example.org, ops@example.org", True)
        assert (hook.delivery.address, hook.answer, hook.secret) == (URL, post.answers["webhook"], None)
        assert [one.secret for one in post.sent if one.channel == "webhook"] == [secret]
        assert json.loads(post.sent[-1].body)["type"] == "alert.test"
        (hook,) = await alerts.try_out(services, owner, webhook="https://mine.example")
        assert hook.secret == post.sent[-1].secret != secret
        (mail,) = await alerts.try_out(services, owner, mail="Owner@example.org")
        assert (mail.delivery.address, post.sent[-1].address) == ("Owner@example.org", "Owner@example.org")
        assert (await alerts.list_page(services, owner)).records == (), "a test is no alert"
        assert len([row for row in await audited(services) if row.action == "alert.test"]) == 3

    run(tmp_path, scenario)


def test_a_test_names_one_receiver_within_reach_and_not_too_often(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        stranger = of_account((await owner_of(services, "other", email="x@example.org"))[0].id)
        for given in ({}, {"budget": budget.id, "mail": "a@b.example"}, {"mail": "nobody"}, {"webhook": "mailto:x"}):
            with pytest.raises(BadRequest):
                await alerts.try_out(services, OPERATOR, **given)
        with pytest.raises(PathNotFound):
            await alerts.try_out(services, stranger, budget=budget.id)
        with pytest.raises(PathNotFound):
            await alerts.try_out(services, stranger, budget="bud_nothing")
        for _ in range(8):
            await alerts.try_out(services, stranger, mail="x@example.org")
        with pytest.raises(RateLimited):
            await alerts.try_out(services, stranger, mail="x@example.org")
        assert len(post.sent) == 8
        await alerts.try_out(services, OPERATOR, mail="x@example.org")

    run(tmp_path, scenario)


def test_an_account_sees_its_own_alerts_newest_first_in_pages(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, _ = await scenario_of(services)
        other, stranger = await owner_of(services, "other", email="other@example.org")
        theirs = await budgets.put(
            services, stranger, amount_usd="0.0000001", window="day", account=other.id, soft=(1,)
        )
        await commit(services, spends(1, budget, 50), spends(2, theirs, 50, time_ms=NOW_MS + 5))
        await commit(services, spends(3, budget, 50, time_ms=NOW_MS + 9))
        owner = of_account(budget.account_id)
        mine = await alerts.list_page(services, owner)
        ways = [(row.notice.mark, row.delivery.channel) for row in mine.records]
        assert set(ways[:4]) == {(80, "mail"), (80, "webhook"), (100, "mail"), (100, "webhook")}
        assert set(ways[4:]) == {(50, "mail"), (50, "webhook")}
        assert {row.notice.account_id for row in mine.records} == {budget.account_id}
        assert [row.notice.account_id for row in (await alerts.list_page(services, stranger)).records] == [other.id]
        paged, after = [], None
        while True:
            found = await alerts.list_page(services, OPERATOR, after=after, limit=2)
            paged += [row.delivery.id for row in found.records]
            after = found.next
            if after is None:
                break
        assert len(paged) == len(set(paged)) == 7
        with pytest.raises(PathNotFound):
            await alerts.list_page(services, stranger, account=budget.account_id)

    run(tmp_path, scenario)

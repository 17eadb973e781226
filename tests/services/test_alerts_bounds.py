"""What customers may cause to be sent is bounded, and strangers are asked before anything else is sent to them."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tests.channels import CHANNELS
from tests.services.fake_delivery import FakeDelivery, scenario_of, send_all, spends
from tests.services.harness import NOW_MS, OPERATOR, SettableClock, audited, of_account, run
from tests.services.test_money import commit, owner_of
from tollhouse.billing.notices import FOLDED, UNCONFIRMED
from tollhouse.core.failure import BadRequest, PathNotFound, RateLimited
from tollhouse.core.notice import QueuedDelivery
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.limits.sending import ADDRESSES_MAX, DAILY_MAX, THRESHOLDS_MAX
from tollhouse.services import addresses, alerts, budgets, people
from tollhouse.services.context import ServiceContext

STRANGER = "Stranger@elsewhere.example"


def token_of(text: str) -> str:
    return text.partition("token=")[2].split()[0]


async def named(services: ServiceContext, account_id: str, mail: str, **more: Any) -> None:
    given: dict[str, Any] = {"amount_usd": "0.0000001", "window": "day", "soft": (1, 2), "account": account_id}
    await budgets.put(services, of_account(account_id), mail=mail, **given | more)


def test_a_stranger_is_asked_once_and_gets_nothing_else_before_they_agree(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services, mail=STRANGER)
        services.public_url = "https://llm.example/"
        owner = of_account(budget.account_id)
        assert await budgets.unconfirmed(services, [budget]) == {budget.id}
        await commit(services, spends(1, budget, 60))
        await send_all(services)
        to_stranger = [one for one in post.sent if STRANGER.lower() in one.address.lower()]
        assert [one.subject for one in to_stranger] == ["May alerts be sent to this address?"]
        assert "mine" not in to_stranger[0].text, "a customer's own words do not go to strangers"
        assert "https://llm.example/api/v1/alerts/confirm?token=" in to_stranger[0].text
        records = (await alerts.list_page(services, owner)).records
        answers = {(row.notice.type, row.delivery.address, row.delivery.answer) for row in records}
        assert ("budget.threshold", STRANGER, UNCONFIRMED) in answers
        token = token_of(to_stranger[0].text)
        assert all(token not in str((row.notice.data, row.delivery)) for row in records), "nor does the account see it"
        with pytest.raises(BadRequest, match="confirmed"):
            await alerts.try_out(services, owner, mail=STRANGER)
        tried = await alerts.try_out(services, owner, budget=budget.id)
        assert [trial.answer.words for trial in tried if trial.delivery.address == STRANGER] == [UNCONFIRMED]

        assert (await addresses.look_up(services, token)).confirmed_at_ms is None
        assert await budgets.unconfirmed(services, [budget]) == {budget.id}, "a look changes nothing"
        done = await addresses.confirm(services, token)
        assert (done.address, done.confirmed_by) == (STRANGER.lower(), "recipient")
        with pytest.raises(PathNotFound):
            await addresses.confirm(services, token)
        assert await budgets.unconfirmed(services, [budget]) == set()
        await commit(services, spends(2, budget, 30))
        await send_all(services)
        assert post.sent[-2].address.endswith(STRANGER) or post.sent[-1].address.endswith(STRANGER)
        assert "alert.confirm" in {row.action for row in await audited(services)}

    run(tmp_path, scenario)


def test_twenty_budgets_with_strangers_addresses_queue_few_mails(tmp_path: Path) -> None:
    """2,000 mails before: 20 budgets x 100 thresholds."""

    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        account, owner = await owner_of(services)
        for number in range(20):
            with pytest.raises(BadRequest, match="at most 20 thresholds"):
                await named(services, account.id, f"v{number}@victim.example", soft=tuple(range(1, 101)))
            await named(
                services,
                account.id,
                f"v{number}@victim.example",
                soft=tuple(range(1, THRESHOLDS_MAX + 1)),
                model=f"model-{number}*",
            )
        found = (await budgets.list_page(services, owner, limit=100)).records
        assert len(found) == 20
        for number, budget in enumerate(found):
            await commit(services, spends(number + 1, budget, 99))
        await send_all(services)
        mails = [one for one in post.sent if one.channel == "mail"]
        assert {one.subject for one in mails} == {"May alerts be sent to this address?"}
        assert len(mails) == DAILY_MAX["confirmation"]

    run(tmp_path, scenario)


def test_one_address_is_asked_three_times_a_day_whoever_names_it(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        for number in range(12):
            account, _ = await owner_of(services, f"account{number}")
            for spelling in (STRANGER, STRANGER.upper(), STRANGER.lower()):
                await named(services, account.id, spelling)
        await send_all(services)
        assert len(post.sent) == DAILY_MAX["asked"]
        clock.ms += DAY_MS
        await named(services, account.id, STRANGER)
        await send_all(services)
        assert len(post.sent) == DAILY_MAX["asked"] + 1
        assert (await addresses.look_up(services, token_of(post.sent[-1].text))).address == STRANGER.lower()
        with pytest.raises(PathNotFound):
            await addresses.confirm(services, token_of(post.sent[0].text)[:-1] + "é")
        clock.ms += addresses.VALID_MS + 1
        with pytest.raises(PathNotFound):
            await addresses.confirm(services, token_of(post.sent[-1].text))

    run(tmp_path, scenario)


def test_members_need_not_be_asked_and_those_who_left_do(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        account, _ = await owner_of(services, email="Pay@example.org")
        password = "correct horse battery"
        await people.create(
            services, OPERATOR, email="dev@example.org", password=password, role="developer", account=account.id
        )
        for mail in ("pay@EXAMPLE.org", "Dev@example.org"):
            await named(services, account.id, mail)
            assert await addresses.unconfirmed(services, account.id, {mail.lower()}) == set()
        other, _ = await owner_of(services, "other")
        await named(services, other.id, "dev@example.org")
        assert await addresses.unconfirmed(services, other.id, {"dev@example.org"}) == {"dev@example.org"}
        await send_all(services)
        assert [one.address for one in post.sent] == ["dev@example.org"]

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    "mail",
    [
        "a@b.example, c@d.example",
        "a@b.example,c@d.example",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example\nc@d.example",
        "<a@b.example>",
        "=?utf-8?q?a?=@b.example",
        "a" * 250 + "@b.example",
        "a@b.example;c@d.example",
    ],
)
def test_one_address_is_one_address(tmp_path: Path, mail: str) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account, _ = await owner_of(services)
        with pytest.raises(BadRequest) as refused:
            await named(services, account.id, mail)
        assert refused.value.param == "mail"

    run(tmp_path, scenario)


def test_an_account_names_so_many_addresses_and_no_more(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        account, _ = await owner_of(services)
        for number in range(ADDRESSES_MAX):
            await named(services, account.id, f"v{number}@victim.example")
        with pytest.raises(BadRequest, match="at most 50"):
            await named(services, account.id, "one@more.example")
        await named(services, account.id, "v7@victim.example")

    run(tmp_path, scenario)


def test_beyond_the_day_notices_are_folded_into_one_an_hour_and_none_is_lost(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        budget, post = await scenario_of(services)
        owner = of_account(budget.account_id)
        windows = CHANNELS.by_name["mail"].per_day + 20
        for number in range(windows):
            place = (budget.id, NOW_MS + number)  # as many windows: each tells its threshold once
            call = spends(number + 1, budget, 60)
            assert call.charge is not None
            await commit(services, structs.replace(call, charge=structs.replace(call.charge, budgets=(place,))))
        await send_all(services)
        mails = [one for one in post.sent if one.channel == "mail"]
        assert len(mails) == CHANNELS.by_name["mail"].per_day
        listed: list[QueuedDelivery] = []
        after = None
        while True:
            page = await alerts.list_page(services, owner, after=after, limit=100)
            listed += page.records
            after = page.next
            if after is None:
                break
        thresholds = [row for row in listed if row.notice.type == "budget.threshold" and row.delivery.channel == "mail"]
        assert len(thresholds) == windows, "each is recorded, exactly once"
        assert sum(row.delivery.state == "folded" for row in thresholds) == 20
        assert {row.delivery.answer for row in thresholds if row.delivery.state == "folded"} == {FOLDED}
        clock.ms = NOW_MS - NOW_MS % HOUR_MS + HOUR_MS
        await send_all(services)
        (digest,) = [one for one in post.sent if "more alerts" in one.subject]
        assert digest.subject.startswith("20 more alerts within an hour")
        assert "budget.threshold: 20" in digest.text.replace("  ", " ")
        assert digest.address == "owner@example.org"

    run(tmp_path, scenario)


def test_one_address_gets_so_many_mails_a_day_whichever_accounts_cause_them(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        def all_of_them(tables: Any) -> list[bool]:
            return [tables.sendings.admit("recipient", "x@example.org", NOW_MS) for _ in range(120)]

        admitted = await services.rows.change(all_of_them)
        assert sum(admitted) == DAILY_MAX["recipient"]
        budget, post = await scenario_of(services, mail="x@example.org", webhook=None)
        await commit(services, spends(1, budget, 60))
        await send_all(services)
        assert [one.address for one in post.sent if "%" in one.subject] == ["owner@example.org"]
        await services.rows.change(lambda tables: tables.sendings.forget_before(NOW_MS + 3 * DAY_MS))
        assert await services.rows.change(lambda tables: tables.sendings.admit("recipient", "x@example.org", NOW_MS))

    run(tmp_path, scenario)


def test_tests_count_as_what_they_send_and_few_run_at_once(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        post = services.post = FakeDelivery()
        account, owner = await owner_of(services, email="pay@example.org")
        for _ in range(CHANNELS.by_name["mail"].per_day):
            clock.ms += 10_000
            await alerts.try_out(services, owner, mail="pay@example.org")
        clock.ms += 10_000
        with pytest.raises(RateLimited, match="today"):
            await alerts.try_out(services, owner, mail="pay@example.org")
        assert len(post.sent) == CHANNELS.by_name["mail"].per_day
        clock.ms += 60_000
        services.trying[account.id] = alerts.ACCOUNT_TESTS_MAX
        with pytest.raises(RateLimited, match="under way"):
            await alerts.try_out(services, owner, webhook="https://hooks.example")
        del services.trying[account.id]
        services.trying["acc_others"] = alerts.TESTS_MAX
        with pytest.raises(RateLimited, match="under way"):
            await alerts.try_out(services, owner, webhook="https://hooks.example")
        del services.trying["acc_others"]
        await alerts.try_out(services, owner, webhook="https://hooks.example")
        assert services.trying == {}

    run(tmp_path, scenario)

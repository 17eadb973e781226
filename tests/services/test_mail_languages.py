"""Mails are in the language of who reads them: the one they have set, else the one in which they asked for the mail."""

import re
from pathlib import Path

import pytest
from msgspec import structs

from tests.services.fake_delivery import FakeDelivery, scenario_of, send_all, spends
from tests.services.harness import OPERATOR, SettableClock, of_account, run
from tests.services.test_money import commit
from tollhouse.core.failure import BadRequest
from tollhouse.core.notice import DeliveryResult
from tollhouse.services import invitations, outbox, passwords, people, preferences
from tollhouse.services.context import ServiceContext
from tollhouse.services.mail_languages import together

LANGUAGES = ("en", "zh-CN")
GOOD = "seven unrelated turtles dance"
CJK = re.compile(r"[\u4e00-\u9fff]")
LATER = DeliveryResult(ok=False, words="450 later", status=450, left=("b@x.example",))
NEVER = DeliveryResult(ok=False, words="550 no", status=550, final=True)
TAKEN = DeliveryResult(ok=True, words="taken", status=250)


async def member(services: ServiceContext, account: str, email: str, language: str | None) -> None:
    person = await people.create(services, OPERATOR, email=email, password=GOOD, role="owner", account=account)
    await preferences.set_look(
        services, OPERATOR, person, language=language or "", theme="system", offered=services.languages
    )


def test_each_owner_reads_an_alert_in_their_language(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.languages = LANGUAGES
        budget, post = await scenario_of(services)
        await member(services, budget.account_id, "wei@mine.example", "zh-CN")
        await member(services, budget.account_id, "ann@mine.example", None)
        post.sent.clear()
        await commit(services, spends(1, budget, 60))
        await send_all(services)
        mails = {one.address: one for one in post.sent if one.channel == "mail"}
        chinese = next(one for address, one in mails.items() if "wei@mine.example" in address)
        english = next(one for address, one in mails.items() if "ann@mine.example" in address)
        assert chinese.address == "wei@mine.example"
        assert "wei@mine.example" not in english.address
        assert chinese.subject.startswith("预算已用 ")
        assert not CJK.search(english.subject + english.text)
        sentences = [line for line in chinese.text.splitlines() if re.search(r"[a-z]{3,} [a-z]{3,} [a-z]{3,}", line)]
        assert sentences == []

    run(tmp_path, scenario)


def test_who_has_set_nothing_gets_the_language_of_the_page_that_asked(tmp_path: Path) -> None:
    async def scenario(services: ServiceContext, clock: SettableClock) -> None:
        services.languages, services.post = LANGUAGES, (post := FakeDelivery())
        budget, _ = await scenario_of(services)
        services.post = post
        await member(services, budget.account_id, "ann@mine.example", None)
        await member(services, budget.account_id, "bob@mine.example", "en")
        for email in ("ann@mine.example", "bob@mine.example"):
            await passwords.ask_for_reset(services, email, "203.0.113.9", "zh-CN")
        actor = of_account(budget.account_id)
        await invitations.invite(services, actor, email="new@mine.example", role="viewer", language="zh-CN")
        await services.finish()
        while await outbox.deliver(services):
            pass
        by_reader = {one.address: one for one in post.sent}
        assert by_reader["ann@mine.example"].subject == "设置新密码"
        assert by_reader["new@mine.example"].subject == "你收到了邀请"
        assert "请在七天内设置密码" in by_reader["new@mine.example"].text
        assert by_reader["bob@mine.example"].subject == "Set a new password", "what they have set goes first"
        with pytest.raises(BadRequest, match="language: there are en, zh-CN"):
            await invitations.invite(services, actor, email="x@mine.example", language="tlh")

    run(tmp_path, scenario)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((TAKEN,), TAKEN),
        ((TAKEN, TAKEN), TAKEN),
        ((TAKEN, LATER), structs.replace(LATER, ok=False)),
        ((NEVER, LATER), structs.replace(NEVER, final=False, left=LATER.left)),
        ((NEVER, TAKEN), structs.replace(NEVER, ok=True, final=False)),
        ((NEVER, NEVER), NEVER),
    ],
)
def test_mail_in_two_languages_is_over_when_nobody_is_left(
    results: tuple[DeliveryResult, ...], expected: DeliveryResult
) -> None:
    assert together(results) == expected

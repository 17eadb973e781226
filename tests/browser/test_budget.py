"""A budget is set on a page, reached by calls, told by the error, the page, a mail and a signed webhook."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from openai import OpenAI, RateLimitError
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from tests.browser.browser_user import BrowserUser
from tests.browser.test_first_call import ask, new_key
from tests.outbound.receivers import Box, hooks, mailbox
from tests.support.server_process import ServerProcess, served


class ToldPlatform(NamedTuple):
    """A demo that has a mail server, and may send webhooks to this machine."""

    demo: ServerProcess
    mails: Box
    hooks: Box
    hook_url: str


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ToldPlatform]:
    folder = tmp_path_factory.mktemp("told")
    with mailbox() as (mails, mail_port), hooks() as (came, hook_port):
        (folder / "platform.toml").write_text(
            f'[mail]\nsmtp = "smtp://127.0.0.1:{mail_port}"\n\n[outbound]\nallow_networks = ["127.0.0.1/32"]\n',
            encoding="utf-8",
        )
        with served("demo", "--dir", str(folder), log=folder.with_suffix(".log")) as running:
            yield ToldPlatform(running, mails, came, f"http://127.0.0.1:{hook_port}/alerts")


def answered_until_refused(client: OpenAI) -> tuple[int, str]:
    """How many calls were answered before the one that was refused, and why it was."""
    for answered in range(50):
        try:
            client.chat.completions.create(
                model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}], max_tokens=5
            )
        except RateLimitError as refused:
            return answered, str(refused.code)
    raise AssertionError("the budget stops nothing")


def test_budget_of_a_key_stops_it_exactly_and_the_page_says_so(customer: BrowserUser, demo: ServerProcess) -> None:
    secret = new_key(customer, "capped program")
    page = customer.page
    customer.open("/console/budgets/new")
    page.select_option("select[name=on]", page.get_attribute("option:has-text('capped program')", "value"))
    page.fill("input[name=amount_usd]", "0.00002")
    page.click("main button:text-is('Add the budget')")
    expect(page.locator("main")).to_contain_text("$0.00002")
    with OpenAI(base_url=demo.facts["base_url"] + "/v1", api_key=secret, max_retries=0) as client:
        answered, code = answered_until_refused(client)
    assert answered
    assert code == "insufficient_quota"
    customer.open("/console/requests?status=4xx")
    expect(page.locator("main")).to_contain_text("insufficient_quota")
    assert ask(demo, demo.facts["api_key"]), "another key is not concerned"


def test_budget_that_is_reached_is_told_by_page_mail_and_signed_webhook(chromium: Chromium, told: ToldPlatform) -> None:
    demo = told.demo
    with BrowserUser.at(chromium, demo) as person:
        page = person.page
        person.sign_in(demo.facts["email"], demo.facts["password"])
        key = new_key(person, "told program")
        person.open("/console/budgets/new")
        page.select_option("select[name=on]", page.get_attribute("option:has-text('told program')", "value"))
        page.fill("input[name=amount_usd]", "0.00008")
        page.fill("input[name=soft]", "1 50")
        page.fill("input[name=webhook]", told.hook_url)
        page.click("main button:text-is('Add the budget')")
        found = re.search(r"whsec_[A-Za-z0-9+/=]+", page.inner_text("main"))
        assert found is not None
        secret = found[0]

        page.click("main a:text-is('I have kept it: go on')")
        page.click("main button:text-is('Send a test alert')")
        answers = page.locator("main .said")
        expect(answers.locator("p", has_text="webhook")).to_contain_text("delivered")
        expect(answers.locator("p", has_text="webhook")).to_contain_text("200 · thanks")
        expect(answers.locator("p", has_text="mail")).to_contain_text("250")
        assert told.hooks.first(1)[0].verified(secret)["type"] == "alert.test"
        assert told.mails.first(1)[0].to == (demo.facts["email"],)
        assert "A test of this alert" in told.mails.first(1)[0].message["Subject"]

        with OpenAI(base_url=demo.facts["base_url"] + "/v1", api_key=key, max_retries=0) as client:
            answered, code = answered_until_refused(client)
        assert (answered > 0, code) == (True, "insufficient_quota")
        by_percent = {hook.verified(secret)["data"].get("threshold_percent"): hook for hook in told.hooks.first(3)}
        assert {1, 50} <= by_percent.keys()
        assert by_percent[50].verified(secret)["type"] == "budget.threshold"
        mail = next(one for one in told.mails.first(3) if "50 % of a budget is used" in one.message["Subject"])
        assert (mail.to, 'key "told program"' in mail.text) == ((demo.facts["email"],), True)

        for path in ("/console/budgets", "/console/"):
            person.open(path)
            expect(page.locator("main .warning")).to_contain_text(
                "of this budget: calls that may cost more are refused"
            )
        person.open("/console/budgets/alerts")
        expect(page.locator("main")).to_contain_text("50 % of a budget is used")

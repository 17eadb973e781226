"""A call fails and is charged; its caller reports it; the operator gives the charge back; balance, thread and mail show
it. With the pictures of docs/support.md, in both languages."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from openai import APIError, OpenAI
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from tests.browser.album import Album
from tests.browser.browser_user import BrowserUser
from tests.browser.slow_provider import slow_provider
from tests.outbound.receivers import Box, mailbox
from tests.support.server_process import ServerProcess, served

WORDS = 40
CONFIG = """
[mail]
smtp = "smtp://127.0.0.1:{mail_port}"

[support]
channels = [{{ kind = "email", value = "help@toll.example" }}]

[providers.breaking]
kind = "openai_compatible"
base_url = "{base_url}"

[models."story-1"]
offers = [{{ provider = "breaking", model = "story" }}]
context_tokens = 128000
price = {{ input = "10", output = "3000" }}
"""
SUBJECT = "A story that breaks off"
ANSWER = "The provider broke off. You have the charge back."
SUBJECT_ZH = "回答中断"
QUESTION_ZH = "回答在句子中间中断了，但仍然收取了费用。出了什么问题？"
QUESTION = "The answer broke off in the middle of a sentence, and was charged all the same. What went wrong?"


class AskedPlatform(NamedTuple):
    demo: ServerProcess
    mails: Box


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AskedPlatform]:
    folder = tmp_path_factory.mktemp("asked")
    with slow_provider(WORDS, 0.001) as provider, mailbox() as (mails, mail_port):
        config = folder.with_suffix(".toml")
        config.write_text(CONFIG.format(base_url=provider.base_url, mail_port=mail_port), encoding="utf-8")
        words = ("demo", "--dir", str(folder), "--config", str(config))
        with served(*words, log=folder.with_suffix(".log")) as running:
            yield AskedPlatform(running, mails)


def broken_call(demo: ServerProcess) -> str:
    """The id of a call that broke off behind some words."""
    with OpenAI(base_url=demo.facts["base_url"] + "/v1", api_key=demo.facts["api_key"], max_retries=0) as client:
        answer = client.chat.completions.with_raw_response.create(
            model="story-1", messages=[{"role": "user", "content": "A story"}], max_tokens=200, stream=True
        )
        with pytest.raises(APIError):
            list(answer.parse())
        return str(answer.headers["x-request-id"])


def balance(person: BrowserUser) -> float:
    person.open("/console/")
    shown = person.page.locator("section[aria-labelledby=left] data, section[aria-labelledby=f-left] data").first
    return float(shown.get_attribute("value") or "")


def report(customer: BrowserUser, demo: ServerProcess, request_id: str, album: Album) -> str:
    """The path of the new thread."""
    page = customer.page
    customer.open(f"/console/requests/{request_id}")
    page.click("main a:text-is('Report this request')")
    expect(page.locator(".bundle")).to_contain_text(request_id)
    expect(page.locator(".bundle")).to_contain_text("api key: green; request format: not run; model: green")
    page.fill("input[name=subject]", SUBJECT)
    page.fill("textarea[name=text]", QUESTION)
    page.check("input[name=shows]")
    page.fill("textarea[name=content]", f"curl -H 'Authorization: Bearer {demo.facts['api_key']}' ...")
    page.click("main button:text-is('Send')")
    expect(page.locator("main .warning").first).to_contain_text("A secret was taken out")
    expect(page.locator("main .warning a")).to_have_text("Rotate it")
    expect(page.locator("textarea[name=content]")).to_have_value("curl -H 'Authorization: Bearer [redacted key]' ...")
    assert not customer.overflows()
    album.take(customer, "ticket-report")
    page.click("main button:text-is('Send')")
    expect(page.locator(".thread")).to_contain_text(QUESTION)
    return page.url.removeprefix(customer.base_url)


def refund(operator: BrowserUser, album: Album) -> None:
    """From the menu to the answer."""
    page = operator.page
    expect(page.locator("nav .count")).to_have_text("1 waiting")
    page.click("nav a:has-text('Tickets')")
    page.click(f"main a:text-is('{SUBJECT}')")
    expect(page.locator(".thread")).to_contain_text(QUESTION)
    expect(page.locator("main")).to_contain_text("failed_after_first_byte")
    page.click("main button:text-is('Refund')")
    expect(page.locator(".thread .happened")).to_contain_text("was given back")
    page.fill("textarea[name=text]", ANSWER)
    page.click("main button:text-is('Send')")
    expect(page.locator(".thread")).to_contain_text(ANSWER)
    assert not operator.overflows()
    album.take(operator, "ticket-operator")


def test_failed_call_is_reported_refunded_and_told(chromium: Chromium, asked: AskedPlatform, album: Album) -> None:
    demo, facts = asked.demo, asked.demo.facts
    request_id = broken_call(demo)
    with BrowserUser.at(chromium, demo) as customer, BrowserUser.at(chromium, demo) as operator:
        customer.sign_in(facts["email"], facts["password"])
        before = balance(customer)
        thread = report(customer, demo, request_id, album)
        (asking,) = asked.mails.first(1)
        assert asking.to == ("help@toll.example",)
        assert thread.replace("/support/", "/platform/") in asking.text
        operator.sign_in(facts["operator_email"], facts["operator_password"])
        refund(operator, album)

        _, refunded, answered = asked.mails.first(3)
        assert {refunded.to, answered.to} == {(facts["email"],)}
        assert "The charge of the call was given back:" in refunded.text
        assert thread in refunded.text
        assert thread in answered.text
        assert balance(customer) > before
        customer.open(f"/console/requests/{request_id}")
        expect(customer.page.locator("main")).to_contain_text("Refunded")
        customer.open(thread)
        expect(customer.page.locator(".thread .happened")).to_contain_text("was given back")
        expect(customer.page.locator(".thread")).to_contain_text(ANSWER)
        album.take(customer, "ticket-thread")
    for who, path, name in (
        ("", thread, "ticket-thread-zh"),
        ("operator_", thread.replace("/support/", "/platform/"), "ticket-operator-zh"),
    ):
        with BrowserUser.at(chromium, demo, locale="zh-CN") as reader:
            reader.sign_in(facts[f"{who}email"], facts[f"{who}password"])
            reader.open(path)
            expect(reader.page.locator(".thread .happened")).to_contain_text("已退还")
            album.take(reader, name)
            if not who:
                reader.open(f"/console/support/tickets/new?request={request_id}")
                expect(reader.page.locator(".bundle")).to_contain_text("检查清单")
                reader.page.fill("input[name=subject]", SUBJECT_ZH)
                reader.page.fill("textarea[name=text]", QUESTION_ZH)
                assert not reader.overflows()
                album.take(reader, "ticket-report-zh")


def test_customer_alone_sees_the_new_secret(chromium: Chromium, asked: AskedPlatform) -> None:
    demo, facts = asked.demo, asked.demo.facts
    with BrowserUser.at(chromium, demo) as customer, BrowserUser.at(chromium, demo) as operator:
        customer.sign_in(facts["email"], facts["password"])
        page = customer.page
        customer.open("/console/keys/new")
        page.fill("input[name=name]", "leaky")
        page.click("main button.primary")
        page.wait_for_selector("main code:has-text('sk-th-live-')")
        customer.open("/console/support/tickets/new")
        page.fill("input[name=subject]", "I showed a key to somebody")
        page.fill("textarea[name=text]", "It is called leaky.")
        page.click("main button:text-is('Send')")
        page.wait_for_selector(".thread")
        thread = page.url.removeprefix(customer.base_url)
        operator.sign_in(facts["operator_email"], facts["operator_password"])
        operator.open(thread.replace("/support/", "/platform/"))
        operator.page.select_option(
            "select[name=key]", label=operator.page.locator("option:has-text('leaky')").inner_text()
        )
        operator.page.click("main button:text-is('End its secret')")
        expect(operator.page.locator(".thread .happened")).to_contain_text("has ended")
        assert "sk-th-live-" not in operator.page.locator("main").inner_text()
        customer.open(thread)
        page.click("main button:text-is('Make the new secret')")
        expect(page.locator("main")).to_contain_text("is no longer valid")
        secret = re.findall(r"sk-th-live-[0-9A-Za-z]{49}", page.content())[0]
        with OpenAI(base_url=demo.facts["base_url"] + "/v1", api_key=secret, max_retries=0) as client:
            assert client.models.list().data
        customer.open(thread)
        expect(page.locator("main button:text-is('Make the new secret')")).to_have_count(0)
        assert secret not in page.content()


@pytest.mark.parametrize("width", [390, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_a_ticket_keep_nobody_out(
    chromium: Chromium, asked: AskedPlatform, axe: str, width: int, scheme: str, tmp_path: Path
) -> None:
    facts = asked.demo.facts
    for who, start in (("", "/console/support/tickets"), ("operator_", "/console/platform/tickets")):
        with BrowserUser.at(
            chromium, asked.demo, viewport={"width": width, "height": 900}, color_scheme=scheme
        ) as person:
            person.sign_in(facts[f"{who}email"], facts[f"{who}password"])
            person.open(f"{start}?show=all")
            links = person.page.eval_on_selector_all("main tbody th a", "all => all.map(a => a.pathname)")
            for path in (*([] if who else [f"{start}/new"]), f"{start}?show=all", *links[:1]):
                person.open(path)
                assert person.barriers(axe) == [], path
                assert not person.overflows(), path

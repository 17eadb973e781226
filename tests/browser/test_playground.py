"""The playground before a real browser: an answer that grows, is stopped, costs what it says; and without a script."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from tests.browser.browser_user import BrowserUser
from tests.browser.slow_provider import SlowProvider, slow_provider
from tests.support.server_process import ServerProcess, served

CONFIG = """
[providers.simulator]
kind = "simulator"

[providers.slow]
kind = "openai_compatible"
base_url = "{base_url}"

[models."gpt-4o-mini"]
offers = [{{ provider = "simulator", model = "gpt-4o-mini" }}]
context_tokens = 128000
price = {{ input = "0.15", output = "0.60" }}

[models."slow-1"]
offers = [{{ provider = "slow", model = "slow" }}]
context_tokens = 128000
price = {{ input = "10", output = "30" }}
"""


@pytest.fixture(scope="module")
def slow() -> Iterator[SlowProvider]:
    with slow_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, slow: SlowProvider) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("demo")
    config = folder.with_suffix(".toml")
    config.write_text(CONFIG.format(base_url=slow.base_url), encoding="utf-8")
    words = ("demo", "--dir", str(folder), "--config", str(config))
    with served(*words, log=folder.with_suffix(".log")) as running:
        yield running


def fill(customer: BrowserUser, mode: str, text: str, model: str = "gpt-4o-mini") -> None:
    page = customer.page
    customer.open(f"/console/playground?model={model}")
    page.select_option("select[name=key]", page.get_attribute(f"option:has-text('({mode})')", "value"))
    page.fill("textarea[name=text]", text)


def send(customer: BrowserUser, mode: str, text: str) -> None:
    fill(customer, mode, text)
    customer.page.click("main button:text-is('Send')")
    expect(customer.page.locator("#outcome dl")).to_be_visible()


def test_call_of_a_live_key_shows_answer_cost_and_receipt(customer: BrowserUser) -> None:
    send(customer, "live", "Hello")
    page = customer.page
    expect(page.locator("#state")).to_contain_text("That is all of it.")
    expect(page.locator("#outcome")).to_contain_text("Charged$0.0000")
    assert page.input_value("textarea[name=text]") == "Hello"
    assert page.inner_text("#answer")
    page.click("main a:text-is('its receipt')")
    expect(page.locator("main")).to_contain_text("playground")
    page.click("main a:text-is('Open in the playground')")
    expect(page.locator("select[name=model]")).to_have_value("gpt-4o-mini")
    expect(page.locator("textarea[name=text]")).to_have_value("")
    expect(page.locator("main")).to_contain_text("is not kept here")


def test_call_of_a_test_key_is_free(customer: BrowserUser) -> None:
    send(customer, "test", "Hello <b>you</b>")
    expect(customer.page.locator("#outcome")).to_contain_text("Test mode is free.")
    customer.page.click("main a:text-is('its receipt')")
    expect(customer.page.locator("h1")).to_contain_text("$0.00")


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("openai_chat", "OpenAI, chat, streamed"),
        ("anthropic_messages", "Anthropic, chat, streamed"),
        ("gemini_content", "Gemini, chat, streamed"),
    ],
)
def test_answer_grows_and_whoever_stops_it_pays_for_what_had_come(
    customer: BrowserUser, slow: SlowProvider, axe: str, name: str, asked: str
) -> None:
    slow.left.clear()
    fill(customer, "live", "Tell me an endless story", "slow-1")
    page, answer = customer.page, customer.page.locator("#answer")
    page.select_option("select[name=format]", name)
    page.click("main button:text-is('Send')")
    expect(answer).to_contain_text("word3")
    seen = len(answer.inner_text())
    expect(answer).to_contain_text("word9")
    assert len(answer.inner_text()) > seen
    expect(page.locator("#state")).to_contain_text("The answer comes.")
    page.click("main button:text-is('Stop')")
    expect(page.locator("#state")).to_contain_text("Stopped.")
    expect(page.locator("#outcome")).to_contain_text("what had come until then is charged")
    assert customer.barriers(axe) == []
    assert slow.left.wait(5), "the provider goes on writing, and bills it"
    last = re.findall(r"word(\d+)", answer.inner_text())[-1]
    assert page.is_hidden("main button:text-is('Stop')")
    page.click("main a:text-is('its receipt')")
    receipt = page.inner_text("main")
    assert "client_left_after_first_byte" in receipt
    written = int(re.findall(r"output\s+([\d,]+)", receipt)[0].replace(",", ""))
    assert int(last) < written < 10 * int(last) + 50, "charged is what had come, counted here"
    assert "Charged" in receipt
    assert asked in receipt
    assert ("the call was translated" in receipt) == (name != "openai_chat")
    page.click("main a:text-is('Open in the playground')")
    expect(page.locator("select[name=format]")).to_have_value(name)
    assert page.is_checked("input[name=stream]")


def test_what_would_be_held_and_the_code_follow_the_form(customer: BrowserUser) -> None:
    fill(customer, "live", "it's <me>")
    page, code = customer.page, customer.page.locator("#code")
    expect(page.locator("#ahead")).to_contain_text("the most that it can cost is held: $0.0")
    page.select_option("select[name=format]", label="Responses")
    expect(code).to_contain_text("/v1/responses")
    page.select_option("select[name=language]", label="Python")
    expect(code).to_contain_text('"it\'s <me>"')
    page.fill("input[name=max_tokens]", "many")
    expect(page.locator("#ahead")).to_contain_text("are numbers")
    page.click("main button:text-is('Send')")
    expect(page.locator("#refused")).to_contain_text("are numbers")
    assert page.is_hidden("main button:text-is('Stop')")


def test_form_works_without_javascript(chromium: Chromium, demo: ServerProcess) -> None:
    with BrowserUser.at(chromium, demo, java_script_enabled=False) as person:
        person.sign_in(demo.facts["email"], demo.facts["password"])
        fill(person, "live", "Hello")
        page = person.page
        page.click("main button:text-is('Show its code and what is held')")
        assert "the most that it can cost is held" in page.inner_text("main")
        assert '"content": "Hello"' in page.inner_text("#code")
        page.click("main button:text-is('Send')")
        assert page.inner_text("#answer").startswith("Simulated answer")
        assert "Held before" in page.inner_text("#outcome")
        page.click("main a:text-is('its receipt')")
        assert "finished" in page.inner_text("main")

"""The pictures of README and docs: what stands on them is there, in each look."""

import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from openai import APIStatusError
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from tests.browser.album import Album
from tests.browser.browser_user import BrowserUser
from tests.browser.history import write_history
from tests.browser.test_first_call import ask
from tests.support.server_process import ServerProcess, served

WIDE = {"viewport": {"width": 1440, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "locale": "zh-CN"}
BUDGETS: tuple[dict[str, object], ...] = (
    {"account": "demo", "amount_usd": "25", "window": "month", "soft": [50, 80]},
    {"account": "demo", "amount_usd": "2", "window": "day", "model": "gpt-4o"},
    {"account": "demo", "amount_usd": "100", "window": "total"},
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """With a month behind it, and a call that failed."""
    folder = tmp_path_factory.mktemp("demo")
    with served("demo", "--dir", str(folder), log=folder.with_suffix(".log")):
        pass
    with ThreadPoolExecutor(1) as apart:  # in this thread the browser has its loop
        apart.submit(write_history, folder).result()
    with served("demo", "--dir", str(folder), log=folder.with_suffix(".log")) as running:
        for budget in BUDGETS:
            set_budget(running, budget)
        for _ in range(3):
            ask(running, running.facts["api_key"])
        with pytest.raises(APIStatusError):
            ask(running, running.facts["api_key"], model="gpt-5-mini-high")
        yield running


def set_budget(demo: ServerProcess, budget: dict[str, object]) -> None:
    sent = urllib.request.Request(
        demo.facts["base_url"] + "/api/v1/budgets",
        json.dumps(budget).encode(),
        {"authorization": f"Bearer {demo.facts['admin_key']}", "content-type": "application/json"},
    )
    urllib.request.urlopen(sent).close()


@pytest.fixture(scope="module")
def customer(chromium: Chromium, demo: ServerProcess) -> Iterator[BrowserUser]:
    """Signed in once, for all pictures: later they would be told of the time before."""
    with BrowserUser.at(chromium, demo, **WIDE) as person:
        person.sign_in(demo.facts["email"], demo.facts["password"])
        yield person


@pytest.mark.parametrize(
    ("name", "path", "what"),
    [
        ("overview", "/console/", "Spend by day"),
        ("usage", "/console/usage?span=30d", "gpt-4o"),
        ("requests", "/console/requests", "model_not_found"),
        ("budgets", "/console/budgets", "$25.00"),
    ],
)
def test_page_shows_a_month_of_calls(customer: BrowserUser, album: Album, name: str, path: str, what: str) -> None:
    customer.open(path)
    expect(customer.page.locator("main")).to_contain_text(what)
    assert not customer.overflows()
    album.take(customer, f"console-{name}")


def test_receipt_says_why_a_call_failed(customer: BrowserUser, album: Album) -> None:
    customer.open("/console/requests?status=failed")
    customer.page.click("tbody a >> nth=0")
    expect(customer.page.locator("main")).to_contain_text("gpt-5-mini-high")
    album.take(customer, "console-receipt")


def test_phone_in_the_dark_shows_the_overview_in_chinese(chromium: Chromium, demo: ServerProcess, album: Album) -> None:
    with BrowserUser.at(chromium, demo, **PHONE) as person:
        person.sign_in(demo.facts["email"], demo.facts["password"])
        person.open("/console/")
        expect(person.page.locator("h1")).to_have_text("概览")
        assert not person.overflows()
        album.take(person, "console-phone")

"""From the sign-in to the first call and its receipt, as a person walks it with the real SDK."""

import re
import threading

from openai import OpenAI
from playwright.sync_api import expect

from tests.browser.browser_user import BrowserUser
from tests.support.server_process import ServerProcess

COLD_BYTES_MAX = 150_000


def ask(demo: ServerProcess, secret: str, model: str = "gpt-4o-mini") -> str:
    with OpenAI(base_url=demo.facts["base_url"] + "/v1", api_key=secret, max_retries=0) as client:
        answer = client.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": "Hello"}], max_tokens=20
        )
        return str(answer.headers["x-request-id"])


def new_key(person: BrowserUser, name: str) -> str:
    person.open("/console/keys/new")
    person.page.fill("input[name=name]", name)
    person.page.click("main button.primary")
    found = re.search(r"sk-th-live-\w+", person.page.inner_text("main"))
    assert found is not None
    return found[0]


def test_new_key_calls_and_its_call_has_a_receipt(customer: BrowserUser, demo: ServerProcess) -> None:
    request_id = ask(demo, new_key(customer, "first program"))
    customer.open("/console/requests")
    customer.page.click(f"a[href='/console/requests/{request_id}']")
    expect(customer.page.locator("main")).to_contain_text("gpt-4o-mini")
    expect(customer.page.locator("main")).to_contain_text("first program")
    expect(customer.page.locator("main")).to_contain_text("$0.0000")
    assert customer.page.locator("h1").count() == 1


def test_key_is_rotated_under_traffic_without_a_failed_call(customer: BrowserUser, demo: ServerProcess) -> None:
    old = new_key(customer, "busy program")
    ended, failed = threading.Event(), []

    def keep_asking() -> None:
        while not ended.is_set():
            try:
                ask(demo, old)
            except Exception as error:  # guard: told to the test, which runs in another thread
                failed.append(error)

    traffic = threading.Thread(target=keep_asking)
    traffic.start()
    try:
        customer.page.goto(customer.base_url + "/console/keys")
        customer.page.click("main a:text-is('busy program')")
        customer.page.click("main button:text-is('Rotate')")
        found = re.search(r"sk-th-live-\w+", customer.page.inner_text("main"))
        assert found is not None
        assert found[0] != old
        assert ask(demo, found[0])
    finally:
        ended.set()
        traffic.join()
    assert failed == []


def test_wrong_password_stays_on_the_page_and_says_so(customer: BrowserUser) -> None:
    page = customer.page
    page.click("text=Sign out")
    page.fill("input[name=email]", "demo@tollhouse.example")
    page.fill("input[name=password]", "a wrong password")
    page.click("main button.primary")
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    assert page.input_value("input[name=email]") == "demo@tollhouse.example"


def test_console_weighs_little_when_it_comes_first(customer: BrowserUser) -> None:
    customer.context.clear_cookies(name="none")
    customer.received = 0
    customer.open("/console/")
    assert 0 < customer.received < COLD_BYTES_MAX

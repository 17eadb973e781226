"""The playground: a call from a page, with its answer, its cost and its receipt."""

from playwright.sync_api import expect

from tests.browser.browser_user import BrowserUser


def send(customer: BrowserUser, mode: str, text: str) -> None:
    page = customer.page
    customer.open("/console/playground?model=gpt-4o-mini")
    page.select_option("select[name=key]", page.get_attribute(f"option:has-text('({mode})')", "value"))
    page.fill("textarea[name=text]", text)
    page.click("main button:text-is('Send')")
    expect(page.locator("#answer")).to_be_visible()


def test_call_of_a_live_key_shows_answer_cost_and_receipt(customer: BrowserUser) -> None:
    send(customer, "live", "Hello")
    page = customer.page
    expect(page.locator("main")).to_contain_text("USD")
    assert page.input_value("textarea[name=text]") == "Hello"
    assert page.inner_text(".answer")
    page.click("main a:text-is('its receipt')")
    expect(page.locator("main")).to_contain_text("playground")


def test_call_of_a_test_key_is_free(customer: BrowserUser) -> None:
    send(customer, "test", "Hello <b>you</b>")
    customer.page.click("main a:text-is('its receipt')")
    expect(customer.page.locator("h1")).to_contain_text("$0.00")

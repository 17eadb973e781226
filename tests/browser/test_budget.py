"""A budget is set on a page, reached by calls, told by the error, the page, a mail and a signed webhook."""

from openai import OpenAI, RateLimitError
from playwright.sync_api import expect

from tests.browser.browser_user import BrowserUser
from tests.browser.test_first_call import ask, new_key
from tests.support.server_process import ServerProcess


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

"""What the keyboard does on every page: go, search, tell its keys; never while somebody writes, and only if it may."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.browser_user import BrowserUser


def dialog(page: Page, name: str) -> Locator:
    return page.locator(f"dialog#{name}[open]")


def test_list_of_pages_opens_narrows_and_goes(customer: BrowserUser, axe: str) -> None:
    customer.open("/console/")
    page = customer.page
    page.keyboard.press("Control+k")
    palette = dialog(page, "palette")
    expect(palette.locator("input")).to_be_focused()
    assert customer.barriers(axe) == []
    page.keyboard.type("budg")
    expect(palette.locator("li:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/budgets")
    page.keyboard.press("Control+k")
    page.keyboard.type("zzz")
    expect(palette).to_contain_text("No page is called so.")
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)


def test_arrows_walk_the_list(customer: BrowserUser) -> None:
    customer.open("/console/")
    page = customer.page
    page.keyboard.press("Control+k")
    links = dialog(page, "palette").locator("a")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(dialog(page, "palette").locator("input")).to_be_focused()


@pytest.mark.parametrize(
    ("key", "path"), [("k", "/console/keys"), ("r", "/console/requests"), ("s", "/console/settings")]
)
def test_letter_behind_g_leads_to_a_page(customer: BrowserUser, key: str, path: str) -> None:
    customer.open("/console/")
    customer.page.keyboard.press("g")
    customer.page.keyboard.press(key)
    customer.page.wait_for_url(f"**{path}")


def test_slash_goes_to_the_search_and_else_to_the_pages(customer: BrowserUser) -> None:
    page = customer.page
    customer.open("/console/models")
    page.keyboard.press("/")
    expect(page.locator("main input[type=search]")).to_be_focused()
    expect(page.locator("main input[type=search]")).to_have_value("")
    customer.open("/console/billing")
    page.keyboard.press("/")
    expect(dialog(page, "palette")).to_be_visible()


def test_j_and_k_go_through_the_rows_of_a_list(customer: BrowserUser) -> None:
    customer.open("/console/models")
    page = customer.page
    links = page.locator("main tbody tr a[href]")
    if links.count() < 2:
        customer.open("/console/keys")
        links = page.locator("main tbody tr a[href]")
    assert links.count() >= 2
    page.keyboard.press("j")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("j")
    second = page.evaluate("document.activeElement.closest('tr').rowIndex")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.closest('tr').rowIndex") == second
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(links.nth(0)).to_be_focused()
    path = links.nth(0).get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{path}")
    customer.open("/console/settings")
    page.keyboard.press("g")
    page.keyboard.press("k")
    page.wait_for_url("**/console/keys")


def test_question_mark_lists_the_keys(customer: BrowserUser, axe: str) -> None:
    customer.open("/console/")
    customer.page.keyboard.press("?")
    expect(dialog(customer.page, "shortcuts")).to_contain_text("Search on this page")
    assert customer.barriers(axe) == []


def test_nothing_happens_while_somebody_writes(customer: BrowserUser) -> None:
    customer.open("/console/playground")
    page = customer.page
    page.click("textarea[name=text]")
    page.keyboard.type("gk?/gk")
    assert page.input_value("textarea[name=text]") == "gk?/gk"
    assert page.url.endswith("/console/playground")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_single_keys_can_be_switched_off(customer: BrowserUser) -> None:
    """WCAG 2.2, 2.1.4."""
    customer.open("/console/settings")
    page = customer.page
    page.uncheck("main [data-single-keys]")
    for key in ("?", "/", "g", "k"):
        page.keyboard.press(key)
    customer.open("/console/")
    page.keyboard.press("?")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.url.endswith("/console/")
    page.click("#show-shortcuts")
    assert not dialog(page, "shortcuts").locator("[data-single-keys]").is_checked()
    page.check("dialog [data-single-keys]")
    page.keyboard.press("Escape")
    page.locator("main h1").first.click()
    page.keyboard.press("?")
    expect(dialog(page, "shortcuts")).to_be_visible()

"""The menu: each page has its letter, and a list of pages shows what the menu does."""

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import Browser, member, of_platform
from tollhouse.console.menu import ACCOUNT, PLATFORM

ELSEWHERE = {"/console/settings": "s", "/console/support": "h"}


def test_each_page_has_a_letter_of_its_own() -> None:
    letters = [*(one.key for one in (*ACCOUNT, *PLATFORM)), *ELSEWHERE.values()]
    assert len(set(letters)) == len(letters)
    assert all(len(one) == 1 and one.isascii() and one.islower() and one != "g" for one in letters)


@pytest.mark.parametrize("role", ["owner", "viewer"])
def test_list_of_pages_is_that_of_the_menu(admin: AdminHarness, role: str) -> None:
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha", role))
    page = browser.get("/console/").html
    menu, _, rest = page.partition("</nav>")
    entries = [one for one in (*ACCOUNT, *PLATFORM) if f'<a href="{one.path}"' in menu.partition("<nav")[2]]
    assert entries
    for one in (*ACCOUNT, *PLATFORM):
        assert (f'href="{one.path}" data-key="{one.key}"' in rest) is (one in entries)
    for path, letter in ELSEWHERE.items():
        assert f'href="{path}" data-key="{letter}"' in rest


def test_who_is_not_signed_in_has_no_list(admin: AdminHarness) -> None:
    assert "<dialog" not in Browser(admin).get("/support").html


def test_list_names_the_account_that_is_looked_at(admin: AdminHarness) -> None:
    browser = Browser(admin)
    browser.sign_in(of_platform(admin))
    browser.get("/console/platform/accounts")
    browser.post(f"/console/platform/accounts/{admin.accounts['alpha']}/act")
    page = browser.get("/console/keys").html.partition("</nav>")[2]
    assert 'href="/console/keys" data-key="k">API keys <span class="quiet">alpha</span>' in page
    assert 'href="/console/playground"' not in page

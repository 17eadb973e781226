"""Every page that somebody can go to, looked at by a browser: it complains of nothing, nobody is kept out, and nothing
has to be scrolled sideways."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium

from tests.browser.browser_user import BrowserUser
from tests.browser.test_first_call import ask
from tests.support.server_process import ServerProcess
from tollhouse.access.roles import MEMBERS, PLATFORM
from tollhouse.console.route import EVERYBODY, SIGNED_IN, discovered, find
from tollhouse.core.failure import MethodNotAllowed, PathNotFound

STREAMS = ("/console/events",)
BEHIND_A_LINK = (
    "/console/password/new",
    "/console/invitation",
    "/console/sign-up/finish",
    "/console/address",
    "/console/leak",
)
"""Pages that are there for whoever has the link of a mail; without it they say so."""
PAGES = discovered()
GOING = [
    one
    for one in PAGES
    if one.method == "GET" and "{id}" not in one.path and "." not in one.path and one.path not in STREAMS
]
"""Files that are downloaded and streams are no pages."""
OF_ACCOUNTS = [one for one in GOING if not one.of_platform and one.may in (SIGNED_IN, *MEMBERS["owner"])]
OF_PLATFORM = [one for one in GOING if one.of_platform and one.may in PLATFORM["operator"]]
FOR_ALL = [one for one in GOING if one.may == EVERYBODY]
LOOKS: list[dict[str, Any]] = [
    {"viewport": {"width": width, "height": 900}, "color_scheme": scheme, "locale": locale}
    for width in (390, 1440)
    for scheme in ("light", "dark")
    for locale in ("en-US", "zh-CN")
]


def look(person: BrowserUser, path: str, axe: str) -> None:
    answer = person.open(path)
    assert answer.status in ((200, 303, 404) if path in BEHIND_A_LINK else (200, 303)), path
    assert person.barriers(axe) == [], path
    assert not person.overflows(), path


def links(person: BrowserUser) -> set[str]:
    """Where the page leads to, without what narrows it."""
    found: list[str] = person.page.eval_on_selector_all("main a[href^='/console/']", "all => all.map(a => a.pathname)")
    return set(found)


def one_of_each(paths: set[str]) -> Iterator[str]:
    """Of the pages of objects, one of each kind."""
    seen: set[str] = set()
    for path in sorted(paths):
        with suppress(PathNotFound, MethodNotAllowed):
            page, object_id = find(PAGES, "GET", path)
            if object_id and page.path not in seen and "." not in page.path:
                seen.add(page.path)
                yield path


def walk(chromium: Chromium, demo: ServerProcess, axe: str, **how: Any) -> None:
    facts = demo.facts
    with BrowserUser.at(chromium, demo, **how) as nobody:
        for page in FOR_ALL:
            look(nobody, page.path, axe)
    for email, password, pages in (
        (facts["email"], facts["password"], OF_ACCOUNTS),
        (facts["operator_email"], facts["operator_password"], OF_PLATFORM),
    ):
        with BrowserUser.at(chromium, demo, **how) as person:
            person.sign_in(email, password)
            leading: set[str] = set()
            for page in pages:
                look(person, page.path, axe)
                leading |= links(person)
            for path in one_of_each(leading):
                look(person, path, axe)


def test_every_page_is_sound_in_a_browser(chromium: Chromium, demo: ServerProcess, axe: str) -> None:
    ask(demo, demo.facts["api_key"])
    walk(chromium, demo, axe)


def test_pages_work_without_javascript(chromium: Chromium, demo: ServerProcess) -> None:
    with BrowserUser.at(chromium, demo, java_script_enabled=False) as person:
        person.sign_in(demo.facts["email"], demo.facts["password"])
        for page in OF_ACCOUNTS:
            assert person.open(page.path).status == 200, page.path
            assert person.page.locator("h1").count() == 1, page.path


@pytest.mark.long
@pytest.mark.parametrize("how", LOOKS, ids=lambda how: "-".join(str(one) for one in how.values())[:60])
def test_every_page_is_sound_in_every_look(
    chromium: Chromium, demo: ServerProcess, axe: str, how: dict[str, Any], tmp_path: Path
) -> None:
    ask(demo, demo.facts["api_key"])
    walk(chromium, demo, axe, **how)

"""From the sign-in page to the first call: four clicks and one paste, as docs/quickstart.md shows it."""

import subprocess

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from tests.browser.album import Album
from tests.browser.browser_user import BrowserUser
from tests.support.server_process import ServerProcess

CLICKS_MAX = 4
LOOK = {"viewport": {"width": 1200, "height": 720}, "permissions": ["clipboard-read", "clipboard-write"]}


def paste_into_a_shell(text: str) -> str:
    return subprocess.run(["bash", "-c", text], capture_output=True, text=True, timeout=30, check=True).stdout


def test_quick_start_takes_four_clicks_and_one_paste(chromium: Chromium, demo: ServerProcess, album: Album) -> None:
    with BrowserUser.at(chromium, demo, **LOOK) as person:
        page, clicks = person.page, 0

        def click(what: str) -> None:
            nonlocal clicks
            page.click(what)
            clicks += 1

        person.open("/console/")
        page.fill("input[name=email]", demo.facts["email"])
        page.fill("input[name=password]", demo.facts["password"])
        album.take(person, "quickstart-1-sign-in")
        click("main button.primary")
        album.take(person, "quickstart-2-overview")
        click("main a.button.primary")
        page.fill("input[name=name]", "my first program")
        album.take(person, "quickstart-3-name-the-key")
        click("main button.primary")
        album.take(person, "quickstart-4-copy-the-call")
        click("details[open] .snippet button.copy")
        answer = paste_into_a_shell(page.evaluate("navigator.clipboard.readText()"))
        assert '"object":"chat.completion"' in answer.replace(" ", "")
        assert clicks <= CLICKS_MAX

        expect(page.locator("#first-call")).to_contain_text("The first call has come")
        album.take(person, "quickstart-5-the-call-has-come")
        person.open(page.get_attribute("#first-call a", "href") or "")
        expect(page.locator("main")).to_contain_text("my first program")
        album.take(person, "quickstart-6-receipt")

"""A real browser before a real platform: Chromium, and `tollhouse demo` in a process of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright

from tests.browser.album import Album
from tests.browser.browser_user import BrowserUser
from tests.support.server_process import ServerProcess, served

_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """For the tests of one file: while it stands, an event loop runs in this thread, and no other test could run
    one."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program is not None, "these tests need Chromium: scripts/need chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("demo")
    with served("demo", "--dir", str(folder), log=folder.with_suffix(".log")) as running:
        yield running


@pytest.fixture
def customer(chromium: Chromium, demo: ServerProcess) -> Iterator[BrowserUser]:
    """The owner of the demo's account, signed in."""
    with BrowserUser.at(chromium, demo) as person:
        person.sign_in(demo.facts["email"], demo.facts["password"])
        yield person


@pytest.fixture
def operator(chromium: Chromium, demo: ServerProcess) -> Iterator[BrowserUser]:
    with BrowserUser.at(chromium, demo) as person:
        person.sign_in(demo.facts["operator_email"], demo.facts["operator_password"])
        yield person


@pytest.fixture
def album(tmp_path: Path) -> Album:
    return Album(tmp_path)


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, which looks for what keeps people out."""
    return Path(__file__).with_name("axe.min.js").read_text(encoding="utf-8")

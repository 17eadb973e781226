"""Somebody before a browser. Whatever the page complains of, and any address but the platform's, fails the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser as Chromium
from playwright.sync_api import BrowserContext, Page, Response

from tests.support.server_process import ServerProcess

SERIOUS = ("serious", "critical")


class BrowserUser:
    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.base_url = base_url
        self.context = context
        self.page: Page = context.new_page()
        self.complaints: list[str] = []
        self.received = 0  # bytes of bodies, as they came
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self._note(said.type, said.text))
        self.page.on("response", self._seen)

    @classmethod
    @contextmanager
    def at(cls, chromium: Chromium, demo: ServerProcess, **how: Any) -> Iterator["BrowserUser"]:
        """how: of `Browser.new_context`, such as `locale`, `color_scheme`, `viewport`."""
        context = chromium.new_context(**{"viewport": {"width": 1440, "height": 900}, "locale": "en-US", **how})
        person = cls(context, demo.facts["base_url"])
        try:
            yield person
            assert person.complaints == [], person.complaints
        finally:
            context.close()

    def open(self, path: str) -> Response:
        answer = self.page.goto(self.base_url + path)
        assert answer is not None
        return answer

    def sign_in(self, email: str, password: str) -> None:
        self.open("/console/sign-in")
        self.page.fill("input[name=email]", email)
        self.page.fill("input[name=password]", password)
        self.page.click("main button.primary")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def barriers(self, axe: str) -> list[str]:
        """What axe finds on this page that keeps people out."""
        self.page.evaluate(axe)
        found: list[dict[str, Any]] = self.page.evaluate("async () => (await axe.run()).violations")
        return [
            f"{one['id']}: {[node['html'][:120] for node in one['nodes']][:3]}"
            for one in found
            if one["impact"] in SERIOUS
        ]

    def overflows(self) -> bool:
        """The page is wider than the window: one has to scroll sideways."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def _note(self, kind: str, text: str) -> None:
        if kind == "error" and "the server responded with a status of 4" not in text:
            self.complaints.append(text)

    def _seen(self, response: Response) -> None:
        if not response.url.startswith((self.base_url, "data:")):
            self.complaints.append(f"another address was asked: {response.url}")
        self.received += int(response.headers.get("content-length", 0))

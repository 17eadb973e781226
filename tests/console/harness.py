"""The console over a real database, asked as the router asks it, by somebody with a browser."""

from collections.abc import MutableMapping
from html.parser import HTMLParser
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct

from tests.admin.harness import OPERATOR, AdminHarness
from tollhouse.console import Console, ConsoleContext
from tollhouse.gateway.running import RunningPlatform
from tollhouse.services import people
from tollhouse.settings import Settings

BROWSER: Final = [(b"accept", b"text/html,application/xhtml+xml"), (b"host", b"toll.example")]
PASSWORD: Final = "plum ladder quiet seven"
HOSTILE: Final = '"><script>alert(1)</script>'


class PageReply(Struct, frozen=True):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def html(self) -> str:
        return self.content.decode()


class Browser:
    """Keeps its cookie, and sends forms with the token of the page before."""

    def __init__(
        self,
        admin: AdminHarness,
        settings: Settings | None = None,
        address: str = "203.0.113.7",
        running: RunningPlatform | None = None,
    ) -> None:
        self.admin, self.address = admin, address
        self.console = Console(
            ConsoleContext(
                services=admin.services,
                settings=settings or Settings(),
                address_of=lambda scope: self.address,
                running=running,
                defect=admin.note_defect,
            )
        )
        self.cookie = ""
        self.csrf = ""
        self.scheme = "http"

    def get(self, target: str, headers: list[tuple[bytes, bytes]] | None = None, method: str = "GET") -> PageReply:
        return self._ask(method, target, b"", BROWSER if headers is None else headers)

    def post(self, target: str, **fields: str | list[str]) -> PageReply:
        """As a form of this site sends it."""
        body = urlencode({"csrf": self.csrf} | fields, doseq=True).encode()
        return self.send(target, body, [*BROWSER, (b"sec-fetch-site", b"same-origin")])

    def send(self, target: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> PageReply:
        return self._ask("POST", target, body, headers)

    def sign_in(self, email: str, password: str = PASSWORD, following: str = "") -> PageReply:
        return self.post("/console/sign-in", email=email, password=password, next=following)

    def _ask(self, method: str, target: str, body: bytes, headers: list[tuple[bytes, bytes]]) -> PageReply:
        path, _, query = target.partition("?")
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        cookies = [(b"cookie", self.cookie.encode())] if self.cookie else []
        scope: MutableMapping[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "scheme": self.scheme,
            "headers": [*headers, *cookies],
            "request_id": "req_abc",
        }
        self.admin.runner.run(self.console(scope, receive, send))
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        if "set-cookie" in answered:
            self.cookie = answered["set-cookie"].partition(";")[0]
        reply = PageReply(sent[0]["status"], answered, sent[1]["body"])
        if b'name="csrf" value="' in reply.content:
            self.csrf = reply.html.partition('name="csrf" value="')[2].partition('"')[0]
        return reply


class Outline(HTMLParser):
    """Collects tags and attributes, and checks that elements close in order."""

    VOID = ("meta", "link", "br", "img", "input", "hr")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.feed(html)
        self.close()
        assert not self.open

    @property
    def inline_scripts(self) -> int:
        """Scripts that are not a file of ours."""
        sources = [value or "" for tag, name, value in self.attributes if (tag, name) == ("script", "src")]
        ours = [source for source in sources if source.startswith("/console/static/")]
        return self.tags.count("script") - len(ours)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def member(admin: AdminHarness, account: str, role: str = "owner") -> str:
    """The mail address of a new member of an account, `alpha` or `beta`; their password is PASSWORD."""
    email = f"{role}@{account}.example"
    admin.runner.run(
        people.create(admin.services, OPERATOR, email=email, password=PASSWORD, role=role, account=account)
    )
    return email


def of_platform(admin: AdminHarness, role: str = "operator") -> str:
    email = f"{role}@platform.example"
    admin.runner.run(people.create(admin.services, OPERATOR, email=email, password=PASSWORD, role=role))
    return email

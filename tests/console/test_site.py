"""The pages: what a browser gets, what a program gets, and that nothing hostile gets into either."""

import asyncio
import json
import re
from collections.abc import MutableMapping
from html.parser import HTMLParser
from typing import Any

import pytest

from tollhouse.console import Facts, build
from tollhouse.settings import ChatSettings, PlatformSettings, Settings, SupportSettings

BROWSER = [(b"accept", b"text/html,application/xhtml+xml"), (b"host", b"toll.example")]
FACTS = Facts(version="0.1.0", ready=True, generation=3, models=4)
DEFAULTS = Settings()
HOSTILE = '"><script>alert(1)</script>'


def get(
    path: str,
    headers: list[tuple[bytes, bytes]] | None = None,
    settings: Settings = DEFAULTS,
    method: str = "GET",
    facts: Facts = FACTS,
) -> tuple[int, dict[str, str], str]:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "scheme": "http",
        "headers": BROWSER if headers is None else headers,
        "request_id": "req_abc",
    }
    asyncio.run(build(settings, lambda: facts)(scope, receive, send))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], answered, sent[1]["body"].decode()


class Outline(HTMLParser):
    """Collects tags and attributes, and checks that elements close in order."""

    VOID = ("meta", "link", "br", "img", "input", "hr")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("path", ["/console/", "/support", "/console/nowhere"])
def test_pages_are_well_formed_and_hold_no_inline_style_or_script(path: str) -> None:
    status, headers, html = get(path)
    outline = Outline(html)
    assert status == (404 if path == "/console/nowhere" else 200)
    assert "script" not in outline.tags
    assert "style" not in outline.tags
    assert not [name for name, _ in outline.attributes if name == "style" or name.startswith("on")]
    assert outline.tags.count("h1") == 1
    assert ("lang", "en") in outline.attributes
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/console/", "/console", "/support", "/console/static/console.css", "/console/nowhere"]
)
def test_every_answer_carries_the_security_headers_and_the_request_id(path: str) -> None:
    _, headers, _ = get(path)
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-request-id"] == "req_abc"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/console", "/console/token", "/support/"])
def test_redirects_name_no_host(path: str) -> None:
    forged = [*BROWSER, (b"x-forwarded-host", b"evil.example"), (b"x-forwarded-proto", b"https")]
    status, headers, _ = get(path, forged)
    assert status == 307
    assert re.fullmatch(r"/(console/(#keys)?|support)", headers["location"])


def test_home_shows_what_runs_and_the_base_url() -> None:
    _, _, html = get("/console/")
    assert "http://toll.example/v1" in html
    assert "generation 3" in html
    assert ">ready<" in html
    _, _, html = get("/console/", facts=Facts(version="1", ready=False, generation=0, models=0))
    assert "not ready" in html


def test_the_configured_address_wins_over_what_the_browser_says() -> None:
    settings = Settings(platform=PlatformSettings(public_url="https://llm.example/v1/"))
    _, _, html = get("/console/", [(b"host", b"evil.example")], settings)
    assert "https://llm.example/v1/chat/completions" in html
    assert "evil.example" not in html


@pytest.mark.parametrize("host", [b"", b"a@b", b"a/b", b"a?b", b"x y#"])
def test_a_host_that_is_none_is_not_shown(host: bytes) -> None:
    _, _, html = get("/console/", [(b"host", host)])
    assert "http://127.0.0.1:8080/v1" in html


def test_hostile_configuration_is_escaped() -> None:
    channels = (
        ChatSettings(kind=HOSTILE, value=HOSTILE, note=HOSTILE),
        ChatSettings(kind="url", value="javascript:alert(1)"),
        ChatSettings(kind="email", value=HOSTILE),
    )
    settings = Settings(
        platform=PlatformSettings(name=HOSTILE), support=SupportSettings(channels=channels, hours=HOSTILE)
    )
    for path in ("/console/", "/support", "/console/" + HOSTILE):
        outline = Outline(get(path, settings=settings)[2])
        assert "script" not in outline.tags
        assert not [value for name, value in outline.attributes if name == "href" and "javascript" in (value or "")]


def test_support_has_five_steps_and_the_configured_channels() -> None:
    channels = (
        ChatSettings(kind="email", value="help@toll.example"),
        ChatSettings(kind="qq_group", value="123456789", note="工作日"),
        ChatSettings(kind="url", value="https://toll.example/help"),
    )
    _, _, html = get("/support", settings=Settings(support=SupportSettings(channels=channels, hours="Mon-Fri 9-18")))
    for anchor in ("api-key", "request-format", "model", "rate-limits", "error-body"):
        assert f'<li id="{anchor}">' in html
    for code in ("invalid_api_key", "invalid_request_error", "model_not_found", "rate_limit_exceeded", "server_error"):
        assert code in html
    assert 'href="mailto:help@toll.example"' in html
    assert "QQ group" in html
    assert "123456789" in html
    assert "工作日" in html
    assert "Mon-Fri 9-18" in html


def test_support_without_channels_says_so() -> None:
    assert "names no contact" in get("/support")[2]


def test_programs_get_json_errors_and_browsers_the_same_words() -> None:
    status, headers, body = get("/console/nowhere", [(b"accept", b"*/*")])
    assert (status, headers["content-type"]) == (404, "application/json")
    message = json.loads(body)["error"]["message"]
    _, _, html = get("/console/nowhere")
    assert message.replace("'", "&#x27;") in html


def test_other_methods_are_refused() -> None:
    status, headers, _ = get("/console/", method="POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    status, headers, _ = get("/console/", method="OPTIONS")
    assert status == 405
    assert "access-control-allow-origin" not in headers


def test_head_has_no_body() -> None:
    status, headers, body = get("/support", method="HEAD")
    assert (status, body) == (200, "")
    assert int(headers["content-length"]) > 1000

"""Every page: what a browser gets, what a program gets, and that nothing hostile gets into either."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import BROWSER, HOSTILE, Browser, Outline, of_platform
from tollhouse.console.context import Line
from tollhouse.console.route import EVERYBODY, ConsolePage, discovered
from tollhouse.core.failure import RateLimited
from tollhouse.settings import ChatSettings, PlatformSettings, Settings, SupportSettings

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = ("/console/sign-in", "/support", "/status")
OF_ACCOUNTS = (
    *("/console/", "/console/usage", "/console/requests", "/console/keys", "/console/keys/new"),
    "/console/members",
)
OWN = ("/console/settings", "/console/settings/factor")


def require_sound(html: str) -> None:
    outline = Outline(html)
    assert "style" not in outline.tags
    assert not [name for _, name, _ in outline.attributes if name == "style" or name.startswith(("on", "hx-on"))]
    scripts = [value or "" for tag, name, value in outline.attributes if (tag, name) == ("script", "src")]
    assert all(source.startswith("/console/static/") for source in scripts)
    assert outline.tags.count("script") == len(scripts)
    assert outline.tags.count("h1") == 1
    assert ("html", "lang", "en") in outline.attributes


@pytest.mark.parametrize("path", [*PUBLIC, "/console/nowhere"])
def test_page_for_everybody_is_sound(admin: AdminHarness, path: str) -> None:
    reply = Browser(admin).get(path)
    assert reply.status == (404 if path == "/console/nowhere" else 200)
    require_sound(reply.html)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*OF_ACCOUNTS, *OWN])
def test_page_of_an_account_is_sound(admin: AdminHarness, owner: Browser, path: str) -> None:
    admin.call("alpha-live")
    reply = owner.get(path)
    assert reply.status == 200
    require_sound(reply.html)


def test_receipt_is_sound_and_another_account_s_is_none(admin: AdminHarness, owner: Browser) -> None:
    own, foreign = admin.call("alpha-live"), admin.call("beta-live", 2)
    reply = owner.get(f"/console/requests/{own.id}")
    assert reply.status == 200
    require_sound(reply.html)
    assert owner.get(f"/console/requests/{foreign.id}").status == 404
    assert foreign.id not in owner.get("/console/requests").html


def test_operator_sees_the_accounts_and_a_member_does_not(admin: AdminHarness, owner: Browser) -> None:
    operator = Browser(admin)
    operator.sign_in(of_platform(admin))
    assert operator.get("/console/").headers["location"] == "/console/platform/accounts"
    page = operator.get("/console/platform/accounts")
    require_sound(page.html)
    assert "alpha" in page.html
    assert "beta" in page.html
    assert owner.get("/console/platform/accounts").status == 403


@pytest.mark.parametrize("page", [one for one in discovered() if one.may != EVERYBODY], ids=lambda one: one.path)
def test_page_without_a_session_leads_to_the_sign_in(admin: AdminHarness, page: ConsolePage) -> None:
    path, browser = page.path.replace("{id}", "x"), Browser(admin)
    reply = browser.get(path) if page.method == "GET" else browser.post(path)
    assert (reply.status, reply.html) == (303, "")
    assert reply.headers["location"].startswith("/console/sign-in")


@pytest.mark.parametrize("path", [*PUBLIC, "/console", "/console/", "/console/static/console.css", "/console/nowhere"])
def test_answer_carries_the_security_headers_and_the_request_id(admin: AdminHarness, path: str) -> None:
    headers = Browser(admin).get(path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["x-request-id"] == "req_abc"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/console", "/console/token", "/support/"])
def test_redirect_names_no_host(admin: AdminHarness, path: str) -> None:
    forged = [*BROWSER, (b"x-forwarded-host", b"evil.example"), (b"x-forwarded-proto", b"https")]
    reply = Browser(admin).get(path, forged)
    assert reply.status == 307
    assert re.fullmatch(r"/(console/(keys)?|support)", reply.headers["location"])


def test_static_file_is_kept_under_its_version_only(admin: AdminHarness) -> None:
    browser = Browser(admin)
    address = re.findall(r'href="(/console/static/console.css\?v=\w+)"', browser.get("/support").html)[0]
    assert browser.get(address).headers["cache-control"] == "public, max-age=31536000, immutable"
    assert browser.get("/console/static/console.css?v=0").headers["cache-control"] == "no-cache"
    assert browser.get("/console/static/../page.py").status == 404


def test_hostile_configuration_is_escaped(admin: AdminHarness) -> None:
    channels = (
        ChatSettings(kind=HOSTILE, value=HOSTILE, note=HOSTILE),
        ChatSettings(kind="url", value="javascript:alert(1)"),
        ChatSettings(kind="email", value=HOSTILE),
    )
    settings = Settings(
        platform=PlatformSettings(name=HOSTILE), support=SupportSettings(channels=channels, hours=HOSTILE)
    )
    for path in ("/console/sign-in", "/support", "/console/" + HOSTILE):
        outline = Outline(Browser(admin, settings).get(path).html)
        assert outline.tags.count("script") == (2 if path == "/support" else 1)  # one takes secrets out
        assert outline.inline_scripts == 0
        assert not [value for _, name, value in outline.attributes if name == "href" and "javascript:" in (value or "")]


def test_support_has_five_steps_and_the_configured_channels(admin: AdminHarness) -> None:
    channels = (
        ChatSettings(kind="email", value="help@toll.example"),
        ChatSettings(kind="qq_group", value="123456789", note="工作日"),
        ChatSettings(kind="url", value="https://toll.example/help"),
    )
    settings = Settings(support=SupportSettings(channels=channels, hours="Mon-Fri 9-18"))
    html = Browser(admin, settings).get("/support").html
    for anchor in ("api-key", "request-format", "model", "rate-limits", "error-body"):
        assert f'<li id="{anchor}">' in html
    for code in ("invalid_api_key", "invalid_request_error", "model_not_found", "rate_limit_exceeded", "server_error"):
        assert code in html
    for words in ('href="mailto:help@toll.example"', "QQ group", "123456789", "工作日", "Mon-Fri 9-18"):
        assert words in html


def test_support_without_channels_says_so(admin: AdminHarness) -> None:
    assert "names no contact" in Browser(admin).get("/support").html


def test_programs_get_json_errors_and_browsers_the_same_words(admin: AdminHarness) -> None:
    browser = Browser(admin)
    reply = browser.get("/console/nowhere", [(b"accept", b"*/*")])
    assert (reply.status, reply.headers["content-type"]) == (404, "application/json")
    message = json.loads(reply.html)["error"]["message"]
    assert message.replace("'", "&#39;") in browser.get("/console/nowhere").html


def test_other_methods_are_refused(admin: AdminHarness) -> None:
    browser = Browser(admin)
    reply = browser.get("/docs/errors", method="POST")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
    reply = browser.get("/console/", method="OPTIONS")
    assert reply.status == 405
    assert "access-control-allow-origin" not in reply.headers


def test_head_has_no_body(admin: AdminHarness) -> None:
    reply = Browser(admin).get("/support", method="HEAD")
    assert (reply.status, reply.html) == (200, "")
    assert int(reply.headers["content-length"]) > 1000


TEMPLATES = sorted((ROOT / "src/tollhouse/console/templates").glob("*.html"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda one: one.name)
def test_template_hands_only_its_own_words_to_gettext_and_marks_nothing_safe(template: Path) -> None:
    """`gettext` of jinja2 takes its text for HTML: whatever is a value goes through `said`, which is escaped."""
    text = template.read_text(encoding="utf-8")
    assert not re.findall(r"gettext\((?![\"'])", text)
    assert not re.findall(r"\|\s*safe\b|autoescape|style=|hx-on|javascript:", text)


def test_pages_of_an_account_are_made_a_few_at_a_time(admin: AdminHarness, owner: Browser) -> None:
    entered: list[str] = []

    def full(account_id: str) -> Line:
        entered.append(account_id)
        raise RateLimited("The account has too many requests about its data at once.", retry_after_ms=1_000)

    owner.console.context = replace(owner.console.context, line=full)
    refused = owner.get("/console/")
    assert refused.status == 429
    assert "too many requests" in refused.html
    assert entered == [admin.accounts["alpha"]]
    assert Browser(admin).get("/support").status == 200

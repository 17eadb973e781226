"""/support and /console/support: the checklist on a page, without JavaScript, and what it never tells or keeps."""

import re

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import BROWSER, HOSTILE, Browser, Outline, member
from tollhouse.checklist.examination import SIZES
from tollhouse.services import limits
from tollhouse.services.context import DIAGNOSES_PER_MINUTE
from tollhouse.settings import ChatSettings, Settings, SupportSettings

BODY = '{"model": "m", "messages": [{"role": "human", "content": "Hello"}]}'


def states(html: str) -> list[str]:
    return re.findall(r'<li id="[a-z-]+" class="(\w+)">', html)


def test_form_answers_on_the_same_page(admin: AdminHarness) -> None:
    browser = Browser(admin)
    reply = browser.post("/support", api_key=admin.secrets["alpha-test"], body=BODY, error="HTTP/1.1 404 Not Found")
    assert reply.status == 200
    assert states(reply.html) == ["green", "red", "red", "green", "red"]
    assert "<code>human</code>" in reply.html
    assert 'href="/docs/errors/invalid_request_error"' in reply.html
    assert reply.headers["cache-control"] == "no-store"


def test_what_was_typed_stays_and_keys_do_not(admin: AdminHarness) -> None:
    key = admin.secrets["alpha-live"]
    reply = Browser(admin).post(
        "/support", api_key=key, body=BODY, error=f"it said {key}", headers=f"Authorization: Bearer {key}", model=key
    )
    assert key not in reply.html
    assert BODY.replace('"', "&#34;") in reply.html
    assert "it said [redacted key]" in reply.html
    assert reply.html.count('<p class="warning" role="status">In the field') == 3


def test_a_key_is_told_of_to_who_has_all_of_it(admin: AdminHarness) -> None:
    whole, call = admin.secrets["alpha-live"], admin.call("alpha-live")
    told = Browser(admin).post("/support", api_key=whole).html
    assert "<code>alpha-live</code> works" in told
    mistyped = whole[:-1] + ("a" if whole[-1] != "a" else "b")
    for part in (whole[:-1], whole[:20], mistyped, admin.keys["alpha-live"], "alpha-live"):
        html = Browser(admin).post("/support", api_key=part, error=call.id).html
        assert "alpha-live</code> works" not in html
        assert "USD" not in html
        assert admin.accounts["alpha"] not in html


def test_a_receipt_is_told_to_the_bearer_of_its_key(admin: AdminHarness) -> None:
    call = admin.call("alpha-live", status=429, error="rate_limit_exceeded", model="gpt-9")
    ours = Browser(admin).post("/support", api_key=admin.secrets["alpha-live"], error=call.id).html
    theirs = Browser(admin).post("/support", api_key=admin.secrets["beta-live"], error=call.id).html
    unknown = Browser(admin).post("/support", error=call.id).html
    assert "gpt-9" in ours
    assert "gpt-9" not in theirs + unknown


def test_a_member_names_a_key_instead_of_bringing_it(admin: AdminHarness) -> None:
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha"))
    assert 'href="/console/support/tickets/new"' in browser.get("/console/support").html
    html = browser.post("/console/support", key=admin.keys["alpha-test"]).html
    assert "<code>alpha-test</code> works" in html
    other = browser.post("/console/support", key=admin.keys["beta-test"])
    assert (other.status, "beta-test" in other.html) == (404, False)
    assert "works" not in Browser(admin).post("/support", key=admin.keys["alpha-test"]).html


def test_id_of_a_call_alone_names_its_error_with_the_cure(admin: AdminHarness) -> None:
    failed = admin.call("alpha-test", 5, status=503, error="overloaded")
    answered = admin.call("alpha-test", 6, status=200, error=None)
    foreign = admin.call("beta-test", 7, status=503, error="overloaded")
    secret = admin.secrets["alpha-test"]

    def step(call_id: str, **more: str) -> dict[str, str]:
        found = admin.ask("POST", "/api/v1/support/diagnose", {"error": call_id, **more}, headers=[]).body
        return dict(found["steps"][-1])

    said = step(failed.id, api_key=secret)
    assert (said["state"], said["code"]) == ("red", "overloaded")
    assert said["cure"]
    assert step(answered.id, api_key=secret)["state"] == "green"
    for other in (step(foreign.id, api_key=secret), step(failed.id)):
        assert (other["state"], "code" in other) == ("not_run", False)


def test_limits_stand_with_what_is_left_and_a_way_to_ask(admin: AdminHarness) -> None:
    admin.runner.run(limits.put(admin.services, OPERATOR, {"requests_per_minute": 7}, key=admin.keys["alpha-test"]))
    html = Browser(admin).post("/support", api_key=admin.secrets["alpha-test"]).html
    assert f"/console/support/tickets/new?limit=requests_per_minute&amp;key={admin.keys['alpha-test']}" in html
    assert "7 / 7" in html


def test_backoff_is_shown_for_a_limit_in_the_language_of_the_library(admin: AdminHarness) -> None:
    text = "openai.RateLimitError: Error code: 429 - {'error': {'code': 'rate_limit_exceeded', 'message': 'm'}}"
    html = Browser(admin).post("/support", error=text).html
    assert re.findall(r"<summary>(\w+)</summary>", html)[:1] == ["Python"]


def test_an_address_asks_forty_times_a_minute(admin: AdminHarness) -> None:
    browser = Browser(admin)
    for _ in range(DIAGNOSES_PER_MINUTE):
        assert browser.post("/support", error="x").status == 200
    refused = browser.post("/support", error="what I typed", api_key="sk-th-live-x")
    assert refused.status == 429
    assert int(refused.headers["retry-after"]) >= 1
    assert "what I typed" in refused.html
    assert "sk-th-live-x" not in refused.html
    assert Browser(admin, address="203.0.113.8").post("/support", error="x").status == 200
    admin.clock.ms += 60_000
    assert browser.post("/support", error="x").status == 200


@pytest.mark.parametrize("field", ["api_key", "endpoint", "model", "headers", "error"])
def test_sizes_are_bounded(admin: AdminHarness, field: str) -> None:
    reply = Browser(admin).post("/support", **{field: "x" * (SIZES[field] + 1)})
    assert reply.status == 400
    assert field in reply.html


@pytest.mark.parametrize("field", ["api_key", "endpoint", "headers", "body", "model", "error"])
def test_hostile_texts_are_escaped(admin: AdminHarness, field: str) -> None:
    for text in (
        HOSTILE,
        f'{{"model": "{HOSTILE[2:]}", "messages": [{{"role": "<b>"}}]}}',
        f"message: '{HOSTILE}' 429",
    ):
        reply = Browser(admin).post("/support", **{field: text})
        assert reply.status == 200
        assert Outline(reply.html).inline_scripts == 0
        assert "<script>alert" not in reply.html


def test_channels_have_links_and_buttons(admin: AdminHarness) -> None:
    channels = (
        ChatSettings(kind="qq_group", value="123456789", note="say your account"),
        ChatSettings(kind="telegram", value="@toll"),
        ChatSettings(kind="discord", value="https://discord.example/x"),
        ChatSettings(kind="slack", value="javascript:alert(1)"),
    )
    settings = Settings(support=SupportSettings(channels=channels, hours="9-18", zone="Asia/Shanghai"))
    html = Browser(admin, settings).get("/support").html
    assert 'data-copy="123456789"' in html
    assert "say your account" in html
    assert 'href="https://t.me/toll"' in html
    assert 'href="https://discord.example/x"' in html
    assert 'href="javascript' not in html
    assert "9-18 (Asia/Shanghai)" in html


def test_chinese_says_reason_and_cure(admin: AdminHarness) -> None:
    chinese = [*BROWSER, (b"accept-language", b"zh-CN"), (b"sec-fetch-site", b"same-origin")]
    reply = Browser(admin).send("/support", b"api_key=Bearer+Bearer+x&error=ECONNREFUSED", chinese)
    assert "此地址和端口没有服务在监听" in reply.html

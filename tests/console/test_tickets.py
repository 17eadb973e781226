"""Tickets: a customer reports a call, sees what goes, reads the answer; nothing of a key is kept."""

import re
from urllib.parse import quote

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import BROWSER, HOSTILE, Browser, Outline, member
from tests.console.reads import counted
from tests.console.test_pages import require_sound
from tollhouse.access.secrets import mint
from tollhouse.core.catalogue import Catalogue, Model
from tollhouse.core.ticket import CONTENT_MAX, TEXT_MAX
from tollhouse.services import maxima

PATH = "/console/support/tickets"
NEW = f"{PATH}/new"


def send(browser: Browser, **fields: str) -> str:
    """The id of the new ticket."""
    browser.get(NEW)
    reply = browser.post(NEW, **{"subject": "It fails", "text": "Why?", "do": "send"} | fields)
    assert reply.status == 303, reply.html
    return reply.headers["location"].removeprefix(f"{PATH}/")


def test_report_of_a_call_shows_what_goes_and_leads_to_its_thread(admin: AdminHarness, owner: Browser) -> None:
    call = admin.call("alpha-live", 7)
    receipt = owner.get(f"/console/requests/{call.id}").html
    assert f'href="{NEW}?request={call.id}"' in receipt
    form = owner.get(f"{NEW}?request={call.id}")
    require_sound(form.html)
    for shown in (call.id, call.model, "openai chat", str(call.status)):
        assert shown in form.html
    assert "keeps nothing of what is sent" in form.html
    ticket_id = send(owner, request=call.id, text="Why did\nit fail?")
    thread = owner.get(f"{PATH}/{ticket_id}")
    require_sound(thread.html)
    assert "Why did\nit fail?" in thread.html
    assert call.id in thread.html
    assert "waits for an answer" in thread.html
    listing = owner.get(PATH)
    require_sound(listing.html)
    assert f"{PATH}/{ticket_id}" in listing.html


def test_ticket_without_a_call(admin: AdminHarness, owner: Browser) -> None:
    ticket_id = send(owner, subject="A higher limit")
    assert "What went along" not in owner.get(f"{PATH}/{ticket_id}").html


def test_checklist_of_the_call_is_seen_before_it_goes(admin: AdminHarness, owner: Browser) -> None:
    call = admin.call("alpha-live", 7, status=429, error="rate_limit_exceeded")
    form = owner.get(f"{NEW}?request={call.id}").html
    assert "<dt>Checklist</dt>" in form
    shown = re.findall(r"<dt>Checklist</dt><dd>([^<]*)</dd>", form)[0]
    ticket_id = send(owner, request=call.id)
    assert admin.operator("GET", f"/api/v1/tickets/{ticket_id}").body["bundle"]["checklist"] == shown
    assert shown.startswith("api key: green; request format: not run; model: red, model_not_found")
    assert "rate limits: red, insufficient_quota (The money of the account is used up" in shown
    admin.operator("POST", "/api/v1/keys/alpha-live/freeze", {"reason": f"{HOSTILE} sk-live-secret"})
    frozen = owner.get(f"{NEW}?request={call.id}").html
    assert "api key: red, key_frozen" in frozen
    assert HOSTILE not in frozen


def test_checklist_is_said_in_the_language_of_whoever_reports(admin: AdminHarness, owner: Browser) -> None:
    call = admin.call("alpha-live", 7, status=429, error="rate_limit_exceeded")
    form = owner.get(f"{NEW}?request={call.id}", [*BROWSER, (b"accept-language", b"zh-CN")]).html
    shown = re.findall(r"<dt>检查清单</dt><dd>([^<]*)</dd>", form)[0]
    assert shown.startswith("API 密钥: 正常; 请求格式: 未运行; 模型: 有问题, model_not_found")
    assert "(The" not in shown


def test_checklist_of_the_call_is_left_out_beyond_what_an_address_may(admin: AdminHarness, owner: Browser) -> None:
    call = admin.call("alpha-live", 7)
    pages = [owner.get(f"{NEW}?request={call.id}") for _ in range(45)]
    assert {one.status for one in pages} == {200}
    assert "<dt>Checklist</dt>" in pages[0].html
    assert "<dt>Checklist</dt>" not in pages[-1].html
    send(owner, request=call.id)


def test_form_begins_with_key_and_model_of_the_limit(admin: AdminHarness, owner: Browser) -> None:
    admin.services.catalogue = Catalogue(models={"m/深": Model(id="m/深"), "x": Model(id="x", groups=("others",))})
    key_id, model = admin.keys["alpha-live"], "m/深"
    asked = owner.get(f"{NEW}?limit=tokens_per_minute&key={key_id}&model={quote(model)}").html
    assert f"({key_id})" in asked
    assert f"Model: {model}" in asked
    for wrong in (f"key={admin.keys['beta-live']}", "key=key_none", f"model={HOSTILE}", "model=x"):
        page = owner.get(f"{NEW}?limit=tokens_per_minute&{wrong}").html
        assert "Key: " not in page
        assert "Model: " not in page
        assert HOSTILE not in page


def test_form_begins_with_the_limit_that_is_to_be_raised(owner: Browser) -> None:
    assert 'value="A higher limit: tokens per minute"' in owner.get(f"{NEW}?limit=tokens_per_minute").html
    assert HOSTILE not in owner.get(f"{NEW}?limit={HOSTILE}").html
    assert f'href="{NEW}"' in owner.get("/console/support").html


def test_content_goes_only_with_the_tick(admin: AdminHarness, owner: Browser) -> None:
    without = send(owner, content="my prompt")
    assert "my prompt" not in owner.get(f"{PATH}/{without}").html
    ticked = send(owner, content="my prompt", shows="yes")
    assert "my prompt" in owner.get(f"{PATH}/{ticked}").html


def test_what_goes_is_shown_first_without_secrets(admin: AdminHarness, owner: Browser) -> None:
    owner.get(NEW)
    typed = {"subject": "s", "text": "see below", "content": "Authorization: Bearer abcdefgh12345678ijkl", "shows": "y"}
    shown = owner.post(NEW, do="send", **typed)
    assert shown.status == 200
    assert "abcdefgh12345678ijkl" not in shown.html
    assert "1 secret" not in shown.html
    assert "A secret was taken out" in shown.html
    content = re.findall(r"<textarea name=\"content\"[^>]*>([^<]*)</textarea>", shown.html)[0]
    ticket_id = send(owner, text="see below", content=content, shows="y")
    assert "Bearer [redacted key]" in owner.get(f"{PATH}/{ticket_id}").html


@pytest.mark.parametrize("field", ["subject", "text", "content"])
def test_own_key_is_recognised_never_kept_and_rotation_offered(admin: AdminHarness, owner: Browser, field: str) -> None:
    secret = admin.secrets["alpha-live"]
    owner.get(NEW)
    shown = owner.post(NEW, **{"subject": "s", "text": "t", "shows": "y", "do": "send"} | {field: f"it is {secret}"})
    assert shown.status == 200
    assert secret not in shown.html
    assert f"/console/keys/{admin.keys['alpha-live']}#rotate" in shown.html
    assert "[redacted key]" in shown.html
    assert "Nobody of this account has asked anything yet" in owner.get(PATH).html
    ticket_id = send(owner)
    told = owner.post(f"{PATH}/{ticket_id}/reply", text=secret)
    assert secret not in told.html
    assert f"/console/keys/{admin.keys['alpha-live']}#rotate" in told.html
    stored = b"".join(file.read_bytes() for file in admin.folder.iterdir() if file.is_file())
    assert secret.encode() not in stored


def test_another_account_s_key_is_taken_out_and_not_named(admin: AdminHarness, owner: Browser) -> None:
    owner.get(NEW)
    for secret in (admin.secrets["beta-live"], mint("live", bytes(32))):
        shown = owner.post(NEW, subject="s", text=secret, do="send")
        assert secret not in shown.html
        assert "#rotate" not in shown.html
        assert "A secret was taken out" in shown.html


def test_key_in_disguise_is_refused(admin: AdminHarness, owner: Browser) -> None:
    disguised = admin.secrets["alpha-live"].replace("-", "\u2011")
    owner.get(NEW)
    shown = owner.post(NEW, subject="s", text=f"see {disguised}", do="send")
    assert disguised not in shown.html
    assert f"/console/keys/{admin.keys['alpha-live']}#rotate" in shown.html


def test_hostile_texts_are_text(admin: AdminHarness, owner: Browser) -> None:
    ticket_id = send(owner, subject=HOSTILE, text=f"{HOSTILE}\x1b[31m\u202e\x00 end", content=HOSTILE, shows="y")
    for path in (PATH, f"{PATH}/{ticket_id}"):
        html = owner.get(path).html
        assert Outline(html).inline_scripts == 0
        assert HOSTILE not in html
    assert not {"\x1b", "\u202e", "\x00"} & set(html)
    assert "[31m end" in html


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"subject": ""}, "subject: this is empty"),
        ({"subject": "x" * 151}, "at most 150"),
        ({"subject": "two\nlines"}, "does not print"),
        ({"text": " \n "}, "text: this is empty"),
        ({"text": "x" * (TEXT_MAX + 1)}, f"at most {TEXT_MAX}"),
        ({"content": "x" * (CONTENT_MAX + 1), "shows": "y"}, f"at most {CONTENT_MAX}"),
    ],
)
def test_trouble_keeps_what_was_typed(owner: Browser, fields: dict[str, str], words: str) -> None:
    owner.get(NEW)
    reply = owner.post(NEW, **{"subject": "It fails", "text": "my words", "do": "send"} | fields)
    assert reply.status == 400
    assert words in reply.html
    assert "text" in fields or "my words" in reply.html


def test_foreign_call_is_one_that_never_was(admin: AdminHarness, owner: Browser) -> None:
    foreign = admin.call("beta-live", 2).id
    owner.get(NEW)
    for request_id in (foreign, "req_nothing"):
        assert owner.get(f"{NEW}?request={request_id}").status == 404
        assert owner.post(NEW, subject="s", text="t", request=request_id, do="send").status == 404


def test_foreign_ticket_is_one_that_never_was(admin: AdminHarness, owner: Browser) -> None:
    other = Browser(admin)
    other.sign_in(member(admin, "beta"))
    other.get("/console/")
    ticket_id = send(other)
    owner.get(PATH)
    for path in (ticket_id, "tkt_nothing"):
        replies = [
            owner.get(f"{PATH}/{path}"),
            owner.post(f"{PATH}/{path}/reply", text="mine"),
            owner.post(f"{PATH}/{path}/close"),
        ]
        assert [reply.status for reply in replies] == [404, 404, 404]
    assert ticket_id not in owner.get(PATH).html


def test_viewer_reads_and_writes_nothing(admin: AdminHarness, owner: Browser) -> None:
    ticket_id = send(owner)
    viewer = Browser(admin)
    viewer.sign_in(member(admin, "alpha", "viewer"))
    html = viewer.get(f"{PATH}/{ticket_id}").html
    assert "Why?" in html
    assert "<textarea" not in html
    assert "Report this request" not in viewer.get(f"/console/requests/{admin.call('alpha-live').id}").html
    assert viewer.get(NEW).status == 403


def test_ticket_is_closed_and_opened_again(admin: AdminHarness, owner: Browser) -> None:
    ticket_id = send(owner)
    owner.get(f"{PATH}/{ticket_id}")
    assert owner.post(f"{PATH}/{ticket_id}/close").status == 303
    html = owner.get(f"{PATH}/{ticket_id}").html
    assert "The ticket was closed" in html
    owner.post(f"{PATH}/{ticket_id}/close")
    assert owner.get(f"{PATH}/{ticket_id}").html.count("The ticket was closed") == 1
    owner.post(f"{PATH}/{ticket_id}/reply", text="once more")
    assert "waits for an answer" in owner.get(f"{PATH}/{ticket_id}").html


def test_writing_is_bounded_by_minute_and_by_open_tickets(admin: AdminHarness, owner: Browser) -> None:
    for _ in range(10):
        send(owner)
    refused = owner.post(NEW, subject="s", text="the eleventh", do="send")
    assert (refused.status, "the eleventh" in refused.html) == (429, True)
    for _ in range(maxima.TICKETS_MAX - 10):
        admin.clock.ms += 60_000
        send(owner)
    admin.clock.ms += 60_000
    refused = owner.post(NEW, subject="s", text="one more", do="send")
    assert refused.status == 409
    assert "there are 20 open tickets in this account, of at most 20" in refused.html


def test_thread_is_bounded_and_read_in_pages(admin: AdminHarness, owner: Browser) -> None:
    ticket_id = send(owner)
    for number in range(60):
        admin.clock.ms += 20_000
        assert owner.post(f"{PATH}/{ticket_id}/reply", text=f"text {number:03}").status == 303
    with counted(admin) as reads:
        html = owner.get(f"{PATH}/{ticket_id}").html
    assert not reads.too_many
    assert "text 059" in html
    assert "text 005" not in html
    older = re.findall(r'href="(\?after=[^"]+)"', html)[0]
    html = owner.get(f"{PATH}/{ticket_id}{older}").html
    assert "text 005" in html
    assert "text 059" not in html

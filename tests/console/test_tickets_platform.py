"""The queue of tickets: the receipt beside the question, and what is done about it; each deed stands in the thread."""

import asyncio
import re
from typing import NamedTuple

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, member, of_platform
from tests.console.reads import counted
from tests.console.test_pages import require_sound
from tests.console.test_tickets import PATH as CUSTOMER
from tests.console.test_tickets import send
from tests.services.fake_delivery import FakeDelivery, Sent
from tollhouse.core.charge import Charge
from tollhouse.core.roll_up import DAY_MS
from tollhouse.services import maxima, outbox, people, preferences, retention

PATH = "/console/platform/tickets"
USD = 1_000_000_000


def at_the_platform(admin: AdminHarness, role: str = "operator") -> Browser:
    browser = Browser(admin)
    browser.sign_in(of_platform(admin, role))
    browser.get(PATH)
    return browser


class ReportedCall(NamedTuple):
    """A ticket about a call that was charged."""

    ticket_id: str
    call_id: str

    @property
    def path(self) -> str:
        return f"{PATH}/{self.ticket_id}"


@pytest.fixture
def asked(admin: AdminHarness, owner: Browser) -> ReportedCall:
    call = admin.call(
        "alpha-live", charge=Charge(amount=2 * USD, price_id="price_1"), status=502, error="upstream_error"
    )
    return ReportedCall(send(owner, request=call.id, text=f"broken {HOSTILE}"), call.id)


@pytest.fixture
def post(admin: AdminHarness) -> FakeDelivery:
    admin.services.post = FakeDelivery()
    return admin.services.post


def mails(admin: AdminHarness, post: FakeDelivery) -> list[Sent]:
    while admin.runner.run(outbox.deliver(admin.services)):
        pass
    return post.sent


def test_queue_and_thread_show_the_question_with_the_receipt(
    admin: AdminHarness, owner: Browser, asked: ReportedCall
) -> None:
    browser = at_the_platform(admin)
    queue = browser.get(PATH)
    require_sound(queue.html)
    assert asked.path in queue.html
    assert "502 upstream_error" in queue.html
    assert '<span class="count">1<' in queue.html
    page = browser.get(asked.path)
    require_sound(page.html)
    assert Outline(page.html).inline_scripts == 0
    assert HOSTILE not in page.html
    assert "owner@alpha.example" in page.html
    for words in ("Why it failed", "What it cost", "Give it back", "Raise a limit for a while", "Stop a key"):
        assert words in page.html
    answered = browser.post(f"{asked.path}/reply", text="We look into it.")
    assert answered.status == 303
    assert '<span class="count">' not in browser.get(PATH).html
    assert asked.path not in browser.get(PATH).html
    assert asked.path in browser.get(f"{PATH}?show=open").html
    thread = owner.get(f"{CUSTOMER}/{asked.ticket_id}").html
    assert "We look into it." in thread
    assert "waits for you" in thread
    assert "operator@platform.example" not in thread, "who answers is not told"


def test_refund_is_booked_told_and_mailed_once(
    admin: AdminHarness, owner: Browser, asked: ReportedCall, post: FakeDelivery
) -> None:
    before = admin.operator("GET", "/api/v1/balance?account=alpha").body["balance_usd"]
    browser = at_the_platform(admin)
    for _ in range(2):
        assert browser.post(f"{asked.path}/refund").status == 303
    after = admin.operator("GET", "/api/v1/balance?account=alpha").body["balance_usd"]
    assert float(after) - float(before) == 2
    thread = owner.get(f"{CUSTOMER}/{asked.ticket_id}").html
    assert thread.count("The charge of the call was given back: 2 USD.") == 1
    assert "was given back" in browser.get(asked.path).html
    told = [one for one in mails(admin, post) if one.address == "owner@alpha.example"]
    assert len(told) == 1
    assert "given back: 2 USD" in told[0].text
    assert f"{CUSTOMER}/{asked.ticket_id}" in told[0].text
    rows = admin.operator("GET", "/api/v1/audit").body["data"]
    booked = [row["after"]["reason"] for row in rows if row["action"] == "credits.refund"]
    assert booked == [f"ticket {asked.ticket_id}"]


def test_refund_of_more_than_the_charge_is_refused_and_told_nowhere(
    admin: AdminHarness, owner: Browser, asked: ReportedCall
) -> None:
    browser = at_the_platform(admin)
    refused = browser.post(f"{asked.path}/refund", amount_usd="3")
    assert refused.status == 400
    assert 'value="3"' in refused.html
    assert "given back" not in owner.get(f"{CUSTOMER}/{asked.ticket_id}").html


def test_limit_is_raised_until_a_day(admin: AdminHarness, owner: Browser, asked: ReportedCall) -> None:
    browser = at_the_platform(admin)
    given = {"kind": "requests_per_minute", "most": "900", "until": "2036-12-31"}
    assert browser.post(f"{asked.path}/limit", on="account", **given).status == 303
    assert browser.post(f"{asked.path}/limit", on="key", **given).status == 303
    thread = owner.get(f"{CUSTOMER}/{asked.ticket_id}").html
    assert thread.count("requests per minute, at most 900, until 2037-01-01 00:00 UTC") == 2
    standing = admin.operator("GET", "/api/v1/limits?account=alpha").body["data"]
    assert [(one["limit"], one["until"], one["note"]) for one in standing if one["limit"] == 900] == [
        (900, "2037-01-01T00:00:00Z", f"ticket {asked.ticket_id}")
    ]
    for wrong in ({"most": "many"}, {"until": "2020-01-01"}, {"until": "soon"}, {"kind": "no_such"}):
        refused = browser.post(f"{asked.path}/limit", on="account", **{**given, **wrong})
        assert refused.status == 400, wrong
        assert 'role="alert"' in refused.html


def test_key_is_frozen_and_its_secret_ended_without_showing_another(
    admin: AdminHarness, owner: Browser, asked: ReportedCall
) -> None:
    browser, key_id = at_the_platform(admin), admin.keys["alpha-live"]
    before = admin.services.directory.keys[key_id].secrets[0]
    rotated = browser.post(f"{asked.path}/rotate", key=key_id)
    assert (rotated.status, "sk-th-" in rotated.html) == (303, False)
    assert admin.services.directory.keys[key_id].secrets[0].digest == before.digest, "nobody here makes a secret"
    refused = admin.bearer("alpha-live", "GET", "/api/v1/usage")
    assert (refused.status, "ended this secret" in refused.message) == (401, True)
    assert browser.post(f"{asked.path}/rotate", key=key_id).status == 303, "again: nothing happens"
    assert browser.post(f"{asked.path}/freeze").status == 303, "the key of the call"
    assert admin.services.directory.keys[key_id].state == "frozen"
    thread = owner.get(f"{CUSTOMER}/{asked.ticket_id}").html
    assert thread.count(f"The secret of the key ending in {before.last4} has ended") == 1
    assert "is frozen: calls with it are refused" in thread
    foreign = browser.post(f"{asked.path}/freeze", key=admin.keys["beta-live"])
    assert foreign.status == 404
    assert admin.services.directory.keys[admin.keys["beta-live"]].state == "active"


def test_customer_makes_the_new_secret_in_the_thread_and_sees_it_once(
    admin: AdminHarness, owner: Browser, asked: ReportedCall
) -> None:
    key_id = admin.keys["alpha-live"]
    browser = at_the_platform(admin)
    browser.post(f"{asked.path}/rotate", key=key_id)
    thread = owner.get(f"{CUSTOMER}/{asked.ticket_id}").html
    require_sound(thread)
    form = f'action="/console/keys/{key_id}/rotate"'
    assert form in thread
    assert form not in browser.get(asked.path).html, "those who run the platform see no secret"
    looking = Browser(admin)
    looking.sign_in(member(admin, "alpha", "viewer"))
    assert form not in looking.get(f"{CUSTOMER}/{asked.ticket_id}").html
    assert "Those who run the platform ended the secret" in owner.get(f"/console/keys/{key_id}").html
    shown = owner.post(f"/console/keys/{key_id}/rotate", overlap="7d", **{"from": "now"})
    (secret,) = set(re.findall(r"sk-th-live-[0-9A-Za-z]{49}", shown.html))
    assert "is no longer valid" in shown.html
    assert admin.bearer(secret, "GET", "/api/v1/usage").status == 200
    assert admin.bearer("alpha-live", "GET", "/api/v1/usage").status == 401, "no overlap brings it back"
    for path in (f"{CUSTOMER}/{asked.ticket_id}", f"/console/keys/{key_id}"):
        after = owner.get(path).html
        assert form not in after or "Those who run the platform ended" not in after
        assert secret not in after
    assert form not in owner.get(f"{CUSTOMER}/{asked.ticket_id}").html


def test_secret_may_end_later_and_no_overlap_outlives_it(
    admin: AdminHarness, owner: Browser, asked: ReportedCall
) -> None:
    browser, key_id = at_the_platform(admin), admin.keys["alpha-live"]
    assert browser.post(f"{asked.path}/rotate", key=key_id, ends="24h").status == 303
    assert admin.bearer("alpha-live", "GET", "/api/v1/usage").status == 200
    thread = owner.get(f"{CUSTOMER}/{asked.ticket_id}").html
    assert re.search(r"ends on 2027-01-16 08:00 UTC: make a new one before", thread)
    shown = owner.post(f"/console/keys/{key_id}/rotate", overlap="7d", **{"from": "first-use"})
    assert "stays valid until 2027-01-16T08:00:00Z" in shown.html
    assert admin.bearer("alpha-live", "GET", "/api/v1/usage").status == 200
    admin.clock.ms += DAY_MS
    assert admin.bearer("alpha-live", "GET", "/api/v1/usage").status == 401
    path = f"/api/v1/tickets/{asked.ticket_id}/rotate"
    for until, status in (("8d", 400), ("-1d", 400), ("2d", 200)):
        assert admin.operator("POST", path, {"key": "alpha-live", "until": until}).status == status, until


def test_nothing_is_done_that_the_thread_cannot_tell(admin: AdminHarness, asked: ReportedCall) -> None:
    path = f"/api/v1/tickets/{asked.ticket_id}"
    for _ in range(maxima.MESSAGES_MAX - 51):
        assert admin.operator("POST", f"{path}/reply", {"text": "so"}).status == 201
    limit = {"kind": "requests_per_minute", "until": "7d"}
    for number in range(50):
        assert admin.operator("POST", f"{path}/limit", limit | {"most": 100 + number}).status == 200
    before = admin.operator("GET", "/api/v1/balance?account=alpha").body["balance_usd"]
    for deed, body in (("refund", {}), ("freeze", {}), ("rotate", {}), ("limit", limit | {"most": 999})):
        refused = admin.operator("POST", f"{path}/{deed}", body)
        assert (refused.status, "open another ticket" in refused.message) == (409, True), deed
    assert admin.operator("GET", "/api/v1/balance?account=alpha").body["balance_usd"] == before
    assert admin.bearer("alpha-live", "GET", "/api/v1/usage").status == 200
    assert [one["limit"] for one in admin.operator("GET", "/api/v1/limits?account=alpha").body["data"]].count(999) == 0
    done = {row["action"] for row in admin.operator("GET", "/api/v1/audit?limit=5").body["data"]}
    assert not done & {"credits.refund", "key.freeze", "key.end_secret"}


def test_support_answers_and_refunds_nothing(admin: AdminHarness, asked: ReportedCall) -> None:
    browser = at_the_platform(admin, "support")
    page = browser.get(asked.path).html
    assert "Give it back" not in page
    assert "Stop a key" not in page
    assert browser.post(f"{asked.path}/reply", text="hello").status == 303
    for deed in ("refund", "limit", "rotate", "freeze"):
        assert browser.post(f"{asked.path}/{deed}").status == 403, deed
    viewer = at_the_platform(admin, "viewer")
    assert "Why it failed" in viewer.get(asked.path).html
    assert viewer.post(f"{asked.path}/reply", text="hello").status == 403


def test_each_side_is_mailed_in_its_language(admin: AdminHarness, owner: Browser, post: FakeDelivery) -> None:
    admin.services.languages = ("en", "zh-CN")
    admin.services.public_url = "https://toll.example/v1"
    browser = at_the_platform(admin)
    person = admin.runner.run(people.find(admin.services, OPERATOR, "owner@alpha.example"))
    admin.runner.run(
        preferences.set_look(
            admin.services, OPERATOR, person, language="zh-CN", theme="system", offered=admin.services.languages
        )
    )
    ticket_id = send(owner, subject=HOSTILE, text=f"{HOSTILE} my words")
    (to_platform,) = mails(admin, post)
    assert to_platform.address == "operator@platform.example"
    assert f"https://toll.example{PATH}/{ticket_id}" in to_platform.text
    assert "script" not in to_platform.subject + to_platform.text
    assert "my words" not in to_platform.text
    browser.post(f"{PATH}/{ticket_id}/reply", text="our words")
    _, to_owner = mails(admin, post)
    assert to_owner.address == "owner@alpha.example"
    assert re.search("[\u4e00-\u9fff]", to_owner.subject)
    assert f"https://toll.example{CUSTOMER}/{ticket_id}" in to_owner.text
    assert "our words" not in to_owner.text
    alerts = admin.operator("GET", "/api/v1/alerts?account=alpha").body["data"]
    assert "operator@platform.example" not in str(alerts), "an account does not see who runs the platform"


def test_mails_go_to_the_channel_of_support(admin: AdminHarness, owner: Browser, post: FakeDelivery) -> None:
    at_the_platform(admin)
    admin.services.support_mails = ("help@toll.example",)
    send(owner)
    assert [one.address for one in mails(admin, post)] == ["help@toll.example"]


def test_mails_to_the_platform_are_bounded_by_the_day(admin: AdminHarness, owner: Browser, post: FakeDelivery) -> None:
    admin.services.support_mails = ("help@toll.example",)
    ticket_id = send(owner)
    for _ in range(60):
        admin.clock.ms += 10_000
        assert owner.post(f"{CUSTOMER}/{ticket_id}/reply", text="again").status == 303
    assert len(mails(admin, post)) == 50


def test_who_waits_longest_is_first_and_writing_again_changes_nothing(admin: AdminHarness, owner: Browser) -> None:
    browser = at_the_platform(admin)
    ids = []
    for number in range(3):
        ids.append(send(owner, subject=f"number {number}"))
        admin.clock.ms += 60_000
    owner.post(f"{CUSTOMER}/{ids[0]}/reply", text="still waiting")
    browser.post(f"{PATH}/{ids[1]}/reply", text="so")
    admin.clock.ms += 60_000
    owner.post(f"{CUSTOMER}/{ids[1]}/reply", text="and now?")
    queue = browser.get(PATH).html
    assert sorted(ids, key=queue.index) == [ids[0], ids[2], ids[1]]
    assert "Waits since" in queue
    listed = admin.operator("GET", "/api/v1/tickets?order=waiting&limit=2").body
    assert [one["id"] for one in listed["data"]] == [ids[0], ids[2]]
    rest = admin.operator("GET", f"/api/v1/tickets?order=waiting&limit=2&after={listed['next']}").body
    assert ([one["id"] for one in rest["data"]], rest["next"]) == ([ids[1]], None)
    assert admin.operator("GET", "/api/v1/tickets?order=waiting&state=closed").status == 400
    newest = admin.bearer("alpha-admin", "GET", "/api/v1/tickets").body["data"]
    assert newest[0]["id"] == ids[1]


def test_closed_tickets_go_after_a_while_with_their_threads(admin: AdminHarness, owner: Browser) -> None:
    closed = [send(owner, subject=f"over {number}") for number in range(7)]
    for one in closed:
        owner.post(f"{CUSTOMER}/{one}/close")
    open_one = send(owner)
    admin.clock.ms += (admin.services.ticket_retention_days - 1) * DAY_MS
    assert admin.runner.run(retention.delete_closed_tickets(admin.services, asyncio.sleep)) == 0
    written = admin.bearer("alpha-admin", "POST", f"/api/v1/tickets/{closed[0]}/reply", {"text": "once more"})
    assert written.status == 201, "writing keeps it"
    admin.clock.ms += 2 * DAY_MS
    assert admin.runner.run(retention.delete_closed_tickets(admin.services, asyncio.sleep)) == 6
    left = [one["id"] for one in admin.operator("GET", "/api/v1/tickets").body["data"]]
    assert sorted(left) == sorted([closed[0], open_one])
    assert admin.operator("GET", f"/api/v1/tickets/{closed[1]}").status == 404


def test_record_that_is_gone_leaves_the_bundle(admin: AdminHarness, owner: Browser, asked: ReportedCall) -> None:
    admin.clock.ms += 100 * DAY_MS
    admin.runner.run(retention.delete_expired(admin.services, asyncio.sleep))
    browser = at_the_platform(admin)
    page = browser.get(asked.path).html
    assert "not kept any more" in page
    assert "upstream_error" in page


def test_page_of_a_ticket_asks_little(admin: AdminHarness, owner: Browser, asked: ReportedCall) -> None:
    browser = at_the_platform(admin)
    for path in (PATH, asked.path, f"{PATH}?show=all&account={admin.accounts['alpha']}"):
        with counted(admin) as reads:
            assert browser.get(path).status == 200
        assert not reads.too_many, (path, reads.statements)

"""Mails with links: a new password, an account, another address. Each link does one thing, once, for its time."""

import re

import pytest
from msgspec import structs

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, PASSWORD, Browser, member
from tests.console.test_pages import require_sound
from tests.console.test_settings_page import NEW, person_of
from tests.services.fake_delivery import FakeDelivery, Sent
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.limits.sending import DAILY_MAX
from tollhouse.services import outbox

NOBODY = "nobody@alpha.example"


def mails(admin: AdminHarness) -> list[Sent]:
    """What has left until now."""
    if not isinstance(admin.services.post, FakeDelivery):
        admin.services.post = FakeDelivery()
    post = admin.services.post
    assert isinstance(post, FakeDelivery)

    async def leave() -> None:
        await admin.services.finish()
        while await outbox.deliver(admin.services):
            pass

    admin.runner.run(leave())
    return post.sent


def path_in(mail: Sent) -> str:
    return str(re.findall(r"(/console/[\w/-]+\?token=[\w-]+)", mail.text)[0])


def token_of(path: str) -> str:
    return path.partition("=")[2]


def asked(admin: AdminHarness, email: str) -> str:
    """The path of the link that a forgotten password is set anew by."""
    assert Browser(admin).post("/console/password", email=email).status == 200
    return path_in([one for one in mails(admin) if one.subject == "Set a new password"][-1])


def test_forgotten_password_is_set_anew_and_all_sessions_end(admin: AdminHarness, owner: Browser) -> None:
    path = asked(admin, "Owner@alpha.example ")
    (mail,) = mails(admin)
    assert (mail.address, mail.subject) == ("owner@alpha.example", "Set a new password")
    stranger = Browser(admin)
    require_sound(stranger.get(path).html)
    weak = stranger.post("/console/password/new", token=token_of(path), password="password1234")
    assert (weak.status, "tried first" in weak.html) == (400, True)
    done = stranger.post("/console/password/new", token=token_of(path), password=NEW)
    assert done.headers["location"] == "/console/sign-in?done=password"
    assert owner.get("/console/settings").status == 303
    assert Browser(admin).sign_in("owner@alpha.example").status == 401
    assert Browser(admin).sign_in("owner@alpha.example", NEW).status == 303
    assert mails(admin)[-1].subject == "How you sign in has changed"
    assert stranger.post("/console/password/new", token=token_of(path), password=PASSWORD).status == 404


def test_all_links_to_set_a_password_end_with_the_first_that_is_used(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    first, second = asked(admin, email), asked(admin, email)
    assert first != second
    assert Browser(admin).post("/console/password/new", token=token_of(first), password=NEW).status == 303
    assert Browser(admin).post("/console/password/new", token=token_of(second), password=PASSWORD).status == 404


def test_link_is_over_after_an_hour(admin: AdminHarness) -> None:
    path = asked(admin, member(admin, "alpha"))
    admin.clock.ms += HOUR_MS - 1
    assert Browser(admin).get(path).status == 200
    admin.clock.ms += 1
    assert Browser(admin).get(path).status == 404


def test_unknown_and_disabled_addresses_get_the_same_answer_and_no_mail(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    person = person_of(admin, member(admin, "beta"))
    admin.runner.run(admin.store.change(lambda tables: tables.people.save(structs.replace(person, state="disabled"))))
    answers = [Browser(admin).post("/console/password", email=one) for one in (email, NOBODY, person.email)]
    assert [(one.status, one.html) for one in answers[1:]] == [(answers[0].status, answers[0].html)] * 2
    assert [one.address for one in mails(admin)] == [email]


def test_asking_is_bounded_by_minute_and_by_day(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    browser = Browser(admin)
    assert [browser.post("/console/password", email=email).status for _ in range(12)] == [200] * 10 + [429] * 2
    for number in range(20):
        Browser(admin, address=f"198.51.100.{number}").post("/console/password", email=email)
        admin.clock.ms += 60_000
    assert len(mails(admin)) == DAILY_MAX["letter"]


def test_mail_that_is_tried_again_has_another_token_and_all_of_them_work(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    post = admin.services.post = FakeDelivery()
    post.answers["mail"] = structs.replace(post.answers["mail"], ok=False)
    Browser(admin).post("/console/password", email=email)
    mails(admin)
    admin.clock.ms += 60_000
    first, second = (path_in(one) for one in mails(admin))
    assert first != second
    assert [Browser(admin).get(one).status for one in (first, second)] == [200, 200]
    assert Browser(admin).post("/console/password/new", token=token_of(first), password=NEW).status == 303
    assert Browser(admin).get(second).status == 404
    sent = len(post.sent)
    admin.clock.ms += HOUR_MS
    assert [one.subject for one in mails(admin)[sent:]] == ["How you sign in has changed"]


@pytest.mark.parametrize("token", ["", "x", "a" * 43, "é" * 43, HOSTILE, "a" * 5_000])
@pytest.mark.parametrize("path", ["/console/password/new", "/console/invitation", "/console/sign-up/finish"])
def test_invented_token_leads_nowhere(admin: AdminHarness, path: str, token: str) -> None:
    admin.services.sign_up = "open"
    browser = Browser(admin)
    assert browser.get(f"{path}?token={'a' * 43}").status == 404
    assert browser.post(path, token=token, password=NEW, name="x").status == 404


def test_token_of_one_kind_is_none_of_another(admin: AdminHarness) -> None:
    token = token_of(asked(admin, member(admin, "alpha")))
    admin.services.sign_up = "open"
    for path in ("/console/invitation", "/console/sign-up/finish", "/console/address"):
        assert Browser(admin).post(path, token=token, password=NEW, name="x").status == 404


def test_anybody_opens_an_account_where_sign_up_is_open(admin: AdminHarness) -> None:
    admin.services.sign_up = "open"
    browser = Browser(admin)
    assert "/console/sign-up" in browser.get("/console/sign-in").html
    require_sound(browser.get("/console/sign-up").html)
    assert browser.post("/console/sign-up", email="new@firm.example").status == 200
    path = path_in(mails(admin)[-1])
    require_sound(browser.get(path).html)
    done = browser.post("/console/sign-up/finish", token=token_of(path), name="Firm", password=NEW)
    assert (done.status, done.headers["location"]) == (303, "/console/")
    assert browser.get("/console/").status == 200
    person = person_of(admin, "new@firm.example")
    account = admin.services.directory.accounts[person.account_id or ""]
    assert (person.role, account.name, account.email, account.plan, account.credit_limit) == (
        *("owner", "Firm", "new@firm.example", "default", 0),
    )
    assert browser.post("/console/keys", name="first").status == 200
    assert Browser(admin).post("/console/sign-up/finish", token=token_of(path), name="B", password=NEW).status == 404


def test_who_signs_in_already_learns_it_by_mail_only(admin: AdminHarness) -> None:
    admin.services.sign_up = "open"
    known = member(admin, "alpha")
    answers = [Browser(admin).post("/console/sign-up", email=one) for one in (known, "new@firm.example")]
    assert answers[0].html == answers[1].html
    subjects = {one.address: one.subject for one in mails(admin)}
    assert subjects == {known: "You have an account here already", "new@firm.example": "Open your account"}


@pytest.mark.parametrize("mode", ["closed", "invite"])
def test_nobody_asks_for_an_account_where_sign_up_is_not_open(admin: AdminHarness, mode: str) -> None:
    admin.services.sign_up = "closed" if mode == "closed" else "invite"
    browser = Browser(admin)
    assert "<form" not in browser.get("/console/sign-up").html
    assert browser.post("/console/sign-up", email="new@firm.example").status == 403
    assert mails(admin) == []


@pytest.mark.parametrize(
    "email", [HOSTILE, "a@b.example\nBcc: c@d.example", "a@b.example,c@d.example", "=?x?=@b.c", ""]
)
def test_hostile_address_is_mailed_nothing(admin: AdminHarness, email: str) -> None:
    admin.services.sign_up = "open"
    reply = Browser(admin).post("/console/sign-up", email=email)
    assert reply.status == 400
    assert Browser(admin).post("/console/password", email=email).status == 200
    assert mails(admin) == []


def test_mail_names_the_configured_address_and_no_forged_host(admin: AdminHarness) -> None:
    admin.services.public_url = "https://llm.example"
    body = f"email={member(admin, 'alpha')}".encode()
    forged = [(b"accept", b"text/html"), (b"host", b"evil.example"), (b"sec-fetch-site", b"same-origin")]
    forged.append((b"x-forwarded-host", b"evil.example"))
    assert Browser(admin).send("/console/password", body, forged).status == 200
    (mail,) = mails(admin)
    assert "https://llm.example/console/password/new?token=" in mail.text
    assert "evil" not in mail.text


def test_address_changes_once_its_reader_agrees_and_the_old_one_is_told(admin: AdminHarness, owner: Browser) -> None:
    refused = owner.post("/console/settings/address", email="new@alpha.example", present="wrong password")
    assert refused.status == 400
    assert owner.post("/console/settings/address", email="New@alpha.example", present=PASSWORD).status == 303
    path = path_in(mails(admin)[-1])
    assert Browser(admin).sign_in("new@alpha.example").status == 401
    reader = Browser(admin)
    require_sound(reader.get(path).html)
    assert person_of(admin, "owner@alpha.example").role == "owner"
    assert reader.post("/console/address", token=token_of(path)).headers["location"] == "/console/sign-in?done=address"
    assert Browser(admin, address="192.0.2.9").sign_in("new@alpha.example").status == 303
    assert (mails(admin)[-1].address, mails(admin)[-1].subject) == (
        "owner@alpha.example",
        "How you sign in has changed",
    )
    assert reader.post("/console/address", token=token_of(path)).status == 404


def test_address_that_somebody_has_is_not_taken(admin: AdminHarness, owner: Browser) -> None:
    taken = member(admin, "beta")
    reply = owner.post("/console/settings/address", email=taken, present=PASSWORD)
    assert reply.status == 303
    assert [(one.address, one.subject) for one in mails(admin)] == [(taken, "You have an account here already")]


def test_invitation_leaves_by_mail_too(admin: AdminHarness, owner: Browser) -> None:
    shown = re.findall(
        r"token=([\w-]+)", owner.post("/console/members", email="guest@alpha.example", role="viewer").html
    )[0]
    (mail,) = mails(admin)
    assert "alpha" not in mail.text.replace("guest@alpha.example", "")
    assert token_of(path_in(mail)) != shown
    assert Browser(admin).post("/console/invitation", token=token_of(path_in(mail)), password=NEW).status == 303
    assert Browser(admin).get(f"/console/invitation?token={shown}").status == 404


def test_what_was_mailed_and_never_used_is_forgotten(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    asked(admin, email)
    admin.clock.ms += DAY_MS
    asked(admin, email)
    kept = admin.runner.run(admin.store.read(lambda tables: tables.mailed_links.list_all()))
    assert len(kept) == 1

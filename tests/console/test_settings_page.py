"""What people set for themselves: sessions end, the password changes, pages look otherwise; nothing without a proof."""

import pytest
from msgspec import structs

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, PASSWORD, Browser, member
from tests.console.test_pages import require_sound
from tollhouse.core.person import Person

NEW = "viaduct lemon parade socket"


def person_of(admin: AdminHarness, email: str) -> Person:
    found = admin.runner.run(admin.store.read(lambda tables: tables.people.by_email(email)))
    assert found is not None
    return found


def signed_in(admin: AdminHarness, email: str, address: str = "203.0.113.7") -> Browser:
    browser = Browser(admin, address=address)
    assert browser.sign_in(email).status == 303
    browser.get("/console/settings")
    return browser


def test_page_is_sound_and_lists_the_sessions(admin: AdminHarness, owner: Browser) -> None:
    other = signed_in(admin, "owner@alpha.example", "198.51.100.9")
    page = owner.get("/console/settings")
    require_sound(page.html)
    assert "203.0.113.7" in page.html
    assert "198.51.100.9" in page.html
    assert "this one" in page.html
    assert other.get("/console/settings").status == 200


def test_one_session_ends_then_all_others(admin: AdminHarness, owner: Browser) -> None:
    others = [signed_in(admin, "owner@alpha.example", f"198.51.100.{one}") for one in (1, 2, 3)]
    of_person = admin.services.sessions.of_person(person_of(admin, "owner@alpha.example").id)
    ended = next(one for one in of_person if one.address == "198.51.100.1")
    assert owner.post(f"/console/settings/sessions/{ended.id}/end").status == 303
    assert [one.get("/console/settings").status for one in others] == [303, 200, 200]
    owner.post("/console/settings/sessions/end")
    assert [one.get("/console/settings").status for one in (*others, owner)] == [303, 303, 303, 200]


def test_session_of_somebody_else_is_one_that_never_was(admin: AdminHarness, owner: Browser) -> None:
    other = signed_in(admin, member(admin, "alpha", "viewer"))
    theirs = admin.services.sessions.of_person(person_of(admin, "viewer@alpha.example").id)[0]
    foreign, unknown = (owner.post(f"/console/settings/sessions/{one}/end") for one in (theirs.id, "ses_nothing"))
    assert foreign.status == unknown.status == 404
    assert foreign.html.replace(theirs.id, "") == unknown.html.replace("ses_nothing", "")
    assert other.get("/console/settings").status == 200


def test_signing_out_of_this_session_leads_to_the_sign_in(admin: AdminHarness, owner: Browser) -> None:
    own = admin.services.sessions.of_person(person_of(admin, "owner@alpha.example").id)[0]
    reply = owner.post(f"/console/settings/sessions/{own.id}/end")
    assert reply.headers["location"] == "/console/sign-in"
    assert "Max-Age=0" in reply.headers["set-cookie"]


def test_password_changes_with_the_present_one_and_other_sessions_end(admin: AdminHarness, owner: Browser) -> None:
    other, before = signed_in(admin, "owner@alpha.example"), owner.cookie
    wrong = owner.post("/console/settings/password", present="another one here", password=NEW)
    assert (wrong.status, "not your present password" in wrong.html) == (400, True)
    weak = owner.post("/console/settings/password", present=PASSWORD, password="password1234")
    assert (weak.status, "tried first" in weak.html) == (400, True)
    done = owner.post("/console/settings/password", present=PASSWORD, password=NEW)
    assert done.status == 303
    assert owner.cookie != before
    assert other.get("/console/settings").status == 303
    assert owner.get("/console/settings").status == 200
    stolen = Browser(admin)
    stolen.cookie = before
    assert stolen.get("/console/settings").status == 303
    assert Browser(admin, address="192.0.2.9").sign_in("owner@alpha.example").status == 401
    assert Browser(admin, address="192.0.2.9").sign_in("owner@alpha.example", NEW).status == 303


def test_guessing_the_present_password_of_an_open_session_is_stopped(admin: AdminHarness, owner: Browser) -> None:
    seen = [owner.post("/console/settings/password", present=f"guess number {one}", password=NEW).status for one in
            range(12)]  # fmt: skip
    assert seen == [400] * 10 + [429] * 2
    assert owner.post("/console/settings/password", present=PASSWORD, password=NEW).status == 429


def test_language_and_theme_are_kept_with_the_person(admin: AdminHarness, owner: Browser) -> None:
    assert "data-theme" not in owner.get("/console/settings").html
    assert owner.post("/console/settings/look", language="zh-CN", theme="dark").status == 303
    html = Browser.get(owner, "/console/settings").html
    assert '<html lang="zh-CN" data-theme="dark">' in html
    again = signed_in(admin, "owner@alpha.example")
    assert '<html lang="zh-CN" data-theme="dark">' in again.get("/console/").html
    owner.post("/console/settings/look", language="", theme="system")
    assert '<html lang="en">' in owner.get("/console/").html


@pytest.mark.parametrize("look", [{"theme": HOSTILE}, {"theme": "dark", "language": HOSTILE}, {"theme": ""}])
def test_look_that_is_not_offered_is_refused(admin: AdminHarness, owner: Browser, look: dict[str, str]) -> None:
    assert owner.post("/console/settings/look", **look).status == 400
    assert person_of(admin, "owner@alpha.example").theme == "system"


def test_zone_of_the_account_is_set_by_owner_and_admin(admin: AdminHarness, owner: Browser) -> None:
    assert owner.post("/console/settings/zone", zone="Asia/Shanghai").status == 303
    account = admin.services.directory.accounts[admin.accounts["alpha"]]
    assert account.zone == "Asia/Shanghai"
    refused = owner.post("/console/settings/zone", zone=HOSTILE)
    assert (refused.status, HOSTILE in refused.html) == (400, False)
    viewer = signed_in(admin, member(admin, "alpha", "viewer"))
    assert viewer.post("/console/settings/zone", zone="UTC").status == 403
    assert 'id="zone"' not in viewer.get("/console/settings").html


def test_account_s_key_changes_its_zone_and_no_other_term(admin: AdminHarness) -> None:
    target = f"/api/v1/accounts/{admin.accounts['alpha']}"
    zoned = admin.bearer("alpha-admin", "POST", f"{target}/zone", {"zone": "Europe/Berlin"})
    assert zoned.body["zone"] == "Europe/Berlin"
    for term in ({"credit_limit_usd": "unlimited"}, {"multiplier": "0"}, {"email": "a@b.example"}, {"groups": ["x"]}):
        assert admin.bearer("alpha-admin", "POST", target, term | {"zone": "UTC"}).status == 403
    assert admin.services.directory.accounts[admin.accounts["alpha"]].zone == "Europe/Berlin"


def test_last_sign_in_is_told_at_the_next_one(admin: AdminHarness) -> None:
    email = member(admin, "alpha")
    first = signed_in(admin, email, "198.51.100.9")
    assert "You signed in last" not in first.get("/console/").html
    admin.clock.ms += 2 * 3_600_000
    second = signed_in(admin, email)
    assert "You signed in last 2 h ago from 198.51.100.9" in second.get("/console/").html
    admin.clock.ms += 3 * 3_600_000
    third = signed_in(admin, email, "192.0.2.4")
    assert "You signed in last 3 h ago from 203.0.113.7, other." in third.get("/console/").html
    admin.clock.ms += 120_000
    assert "You signed in last" not in third.get("/console/").html
    assert structs.asdict(person_of(admin, email))["signed_in_from"] == "192.0.2.4"

"""Members: who sees them, invites, changes and removes them; never those of another account, never the last owner."""

import re

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, PASSWORD, Browser, member, of_platform
from tests.console.test_pages import require_sound
from tests.console.test_settings_page import person_of, signed_in
from tollhouse.access.roles import MEMBERS
from tollhouse.console.route import discovered
from tollhouse.core.roll_up import DAY_MS

GUEST = "guest@alpha.example"


def invitation(browser: Browser, email: str = GUEST, role: str = "developer", page: str = "/console/members") -> str:
    """The path of the link that the page shows."""
    reply = browser.post(page, email=email, role=role)
    assert reply.status == 200, reply.html
    require_sound(reply.html)
    return str(re.findall(r"(/console/invitation\?token=[\w-]+)", reply.html)[0])


def come(admin: AdminHarness, path: str, password: str = PASSWORD) -> Browser:
    guest = Browser(admin, address="198.51.100.77")
    page = guest.get(path)
    require_sound(page.html)
    reply = guest.post("/console/invitation", token=path.partition("=")[2], password=password)
    assert (reply.status, reply.headers["location"]) == (303, "/console/")
    return guest


def test_guest_comes_by_the_link_once(admin: AdminHarness, owner: Browser) -> None:
    path = invitation(owner)
    assert "Invited, not here yet" in owner.get("/console/members").html
    guest = come(admin, path)
    assert guest.get("/console/keys/new").status == 200
    assert guest.get("/console/members").status == 403
    person = person_of(admin, GUEST)
    assert (person.role, person.account_id, person.factor) == ("developer", admin.accounts["alpha"], "optional")
    assert "Invited, not here yet" not in owner.get("/console/members").html
    again = Browser(admin).get(path)
    assert again.status == 404
    assert Browser(admin).post("/console/invitation", token=path.partition("=")[2], password=PASSWORD).status == 404


def test_link_is_over_after_seven_days_and_when_it_is_withdrawn(admin: AdminHarness, owner: Browser) -> None:
    path = invitation(owner)
    admin.clock.ms += 7 * DAY_MS - 1
    assert Browser(admin).get(path).status == 200
    admin.clock.ms += 1
    assert Browser(admin).get(path).status == 404
    owner = signed_in(admin, "owner@alpha.example")
    path = invitation(owner)
    link = re.findall(r"invitations/(lnk_\w+)/withdraw", owner.get("/console/members").html)[-1]
    assert owner.post(f"/console/members/invitations/{link}/withdraw").status == 303
    assert Browser(admin).get(path).status == 404


def test_second_invitation_ends_the_first(admin: AdminHarness, owner: Browser) -> None:
    first, second = invitation(owner), invitation(owner, role="viewer")
    assert [Browser(admin).get(path).status for path in (first, second)] == [404, 200]


def test_weak_password_is_refused_and_the_link_still_works(admin: AdminHarness, owner: Browser) -> None:
    path = invitation(owner)
    reply = Browser(admin).post("/console/invitation", token=path.partition("=")[2], password="password1234")
    assert (reply.status, "tried first" in reply.html) == (400, True)
    come(admin, path)


def test_member_of_another_account_is_invited_without_a_word(admin: AdminHarness, owner: Browser) -> None:
    taken = member(admin, "beta")
    path = invitation(owner, taken)
    reply = Browser(admin).post("/console/invitation", token=path.partition("=")[2], password=PASSWORD)
    assert (reply.status, "signs in with this mail address already" in reply.html) == (409, True)
    assert person_of(admin, taken).account_id == admin.accounts["beta"]
    own = owner.post("/console/members", email="owner@alpha.example", role="viewer")
    assert (own.status, "is a member already" in own.html) == (409, True)


@pytest.mark.parametrize(
    ("email", "role"),
    [
        (HOSTILE, "viewer"),
        ("a@b.example\r\nBcc: c@d.example", "viewer"),
        ("a@b.example, c@d.example", "viewer"),
        (GUEST, "operator"),
        (GUEST, "root"),
        (GUEST, ""),
    ],
)
def test_hostile_invitation_is_refused(admin: AdminHarness, owner: Browser, email: str, role: str) -> None:
    reply = owner.post("/console/members", email=email, role=role)
    assert reply.status == 400
    require_sound(reply.html)
    assert admin.runner.run(admin.store.read(lambda tables: tables.mailed_links.list_all())) == []


def test_only_sha_256_of_a_token_is_kept(admin: AdminHarness, owner: Browser) -> None:
    token = invitation(owner).partition("=")[2]
    admin.runner.run(admin.services.finish())
    for file in admin.folder.iterdir():
        if file.is_file():
            assert token.encode() not in file.read_bytes()


def test_changed_role_ends_the_sessions_and_holds_at_once(admin: AdminHarness, owner: Browser) -> None:
    email = member(admin, "alpha", "developer")
    other = signed_in(admin, email)
    person = person_of(admin, email)
    require_sound(owner.get(f"/console/members/{person.id}").html)
    assert owner.post(f"/console/members/{person.id}/role", role="viewer").status == 303
    assert other.get("/console/keys").status == 303
    again = signed_in(admin, email)
    assert again.get("/console/keys").status == 200
    assert again.get("/console/keys/new").status == 403


def test_disabled_member_is_out_at_once_and_comes_back(admin: AdminHarness, owner: Browser) -> None:
    email = member(admin, "alpha", "developer")
    other, person = signed_in(admin, email), person_of(admin, email)
    owner.post(f"/console/members/{person.id}/disable")
    assert other.get("/console/keys").status == 303
    assert Browser(admin, address="192.0.2.1").sign_in(email).status == 401
    owner.post(f"/console/members/{person.id}/enable")
    assert signed_in(admin, email).get("/console/keys").status == 200


def test_removed_member_is_gone_and_their_keys_stay(admin: AdminHarness, owner: Browser) -> None:
    email = member(admin, "alpha", "developer")
    other, person = signed_in(admin, email), person_of(admin, email)
    other.post("/console/keys", name="made by them")
    page = owner.get(f"/console/members/{person.id}").html
    assert "made by them" in page
    assert owner.post(f"/console/members/{person.id}/remove", email="somebody else").status == 400
    assert owner.post(f"/console/members/{person.id}/remove", email=email).status == 303
    assert other.get("/console/keys").status == 303
    assert owner.get(f"/console/members/{person.id}").status == 404
    assert "made by them" in owner.get("/console/keys").html
    come(admin, invitation(owner, email))


@pytest.mark.parametrize(("action", "fields"), [("role", {"role": "viewer"}), ("disable", {}), ("remove", {})])
def test_last_owner_stays(admin: AdminHarness, owner: Browser, action: str, fields: dict[str, str]) -> None:
    person = person_of(admin, "owner@alpha.example")
    reply = owner.post(f"/console/members/{person.id}/{action}", email=person.email, **fields)
    assert (reply.status, "no other owner" in reply.html) == (409, True)
    assert person_of(admin, person.email) == person
    come(admin, invitation(owner, role="owner"))
    assert owner.post(f"/console/members/{person.id}/{action}", email=person.email, **fields).status == 303


MEMBER_PAGES = [one for one in discovered() if one.path.startswith("/console/members/{id}")]


@pytest.mark.parametrize("page", MEMBER_PAGES, ids=lambda one: f"{one.method} {one.path}")
def test_person_of_another_account_is_one_that_never_was(admin: AdminHarness, owner: Browser, page: object) -> None:
    method, path = str(getattr(page, "method", "")), str(getattr(page, "path", ""))
    theirs, boss = person_of(admin, member(admin, "beta")), person_of(admin, of_platform(admin))
    answers = []
    for person_id in (theirs.id, boss.id, "per_" + "a" * 26):
        target = path.replace("{id}", person_id)
        reply = owner.get(target) if method == "GET" else owner.post(target, role="viewer", email=theirs.email)
        answers.append((reply.status, reply.html.replace(person_id, "")))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 404
    assert person_of(admin, theirs.email) == theirs


def test_invitation_of_another_account_cannot_be_withdrawn(admin: AdminHarness, owner: Browser) -> None:
    path = invitation(owner)
    link = re.findall(r"invitations/(lnk_\w+)/withdraw", owner.get("/console/members").html)[0]
    other = signed_in(admin, member(admin, "beta"))
    answers = [other.post(f"/console/members/invitations/{one}/withdraw") for one in (link, "lnk_" + "a" * 26)]
    assert [one.status for one in answers] == [404, 404]
    assert Browser(admin).get(path).status == 200


@pytest.mark.parametrize("role", ["admin", "developer", "viewer"])
def test_only_owners_change_members(admin: AdminHarness, owner: Browser, role: str) -> None:
    browser, target = signed_in(admin, member(admin, "alpha", role)), person_of(admin, "owner@alpha.example")
    for path in ("", f"/{target.id}/role", f"/{target.id}/disable", f"/{target.id}/remove", f"/{target.id}/sign-out"):
        assert browser.post(f"/console/members{path}", email=GUEST, role="owner").status == 403
    assert browser.get("/console/members").status == (200 if role == "admin" else 403)


def test_matrix_says_what_the_roles_say(admin: AdminHarness, owner: Browser) -> None:
    html = owner.get("/console/members").html
    rows = re.findall(r'<tr><th scope="row">([^<]*?) <span class="quiet">(.*?)</span></th>(.*?)</tr>', html)
    told = {
        f"{noun} {verb.strip()}": [cell == "✓" for cell in re.findall(r">(✓|–)<", cells)]
        for noun, verbs, cells in rows
        for verb in verbs.split(",")
    }
    assert told["members remove"] == [True, False, False, False]
    assert told["API keys list"] == [True, True, True, True]
    assert len(told) == len(frozenset().union(*MEMBERS.values()) - {"sessions.list", "sessions.end"})


def test_people_of_the_platform_see_each_other(admin: AdminHarness) -> None:
    operator = signed_in(admin, of_platform(admin))
    member(admin, "alpha")
    html = operator.get("/console/platform/people").html
    require_sound(html)
    assert "operator@platform.example" in html
    assert "owner@alpha.example" not in html
    guest = come(admin, invitation(operator, "fin@platform.example", "finance", "/console/platform/people"))
    assert person_of(admin, "fin@platform.example").factor == "required"
    assert guest.get("/console/platform/accounts").headers["location"] == "/console/settings/factor"

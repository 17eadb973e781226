"""Every page as every role, and every page with the ids of another account's objects."""

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import Browser, PageReply, member, of_platform
from tollhouse.access.roles import ACTING, MEMBERS, PLATFORM
from tollhouse.console.route import EVERYBODY, SIGNED_IN, ConsolePage, discovered
from tollhouse.console.visit import OWN
from tollhouse.services import budgets, limits, tickets

NO_PAGES = ("/console/sign-out", "/console/events")
"""What ends the session, and what never ends: `test_sign_in` and the tests of live pages have them."""
PAGES = [page for page in discovered() if page.may != EVERYBODY and page.path not in NO_PAGES]
WITH_ID = [page for page in PAGES if "{id}" in page.path]
UNKNOWN = "key_nobody"


def ask(browser: Browser, page: ConsolePage, object_id: str = UNKNOWN) -> PageReply:
    path = page.path.replace("{id}", object_id)
    return browser.get(path) if page.method == "GET" else browser.post(path)


def signed_in(admin: AdminHarness, email: str) -> Browser:
    browser = Browser(admin)
    browser.sign_in(email)
    browser.get("/console/platform/accounts" if email.endswith("@platform.example") else "/console/")
    return browser


@pytest.mark.parametrize("role", MEMBERS)
def test_member_sees_and_does_what_the_role_says(admin: AdminHarness, role: str) -> None:
    browser = signed_in(admin, member(admin, "alpha", role))
    for page in PAGES:
        allowed = not page.of_platform and (page.may == SIGNED_IN or page.may in MEMBERS[role])
        assert (ask(browser, page).status != 403) is allowed, (page.method, page.path)


@pytest.mark.parametrize("role", PLATFORM)
def test_people_of_the_platform_see_and_do_what_the_role_says(admin: AdminHarness, role: str) -> None:
    browser = signed_in(admin, of_platform(admin, role))
    for page in PAGES:
        reply, holds = ask(browser, page), page.may == SIGNED_IN or page.may in PLATFORM[role]
        if page.may == SIGNED_IN or page.of_platform or not holds:
            assert (reply.status != 403) is holds, (page.method, page.path)
        elif page.method == "GET":
            assert (reply.status, reply.headers["location"][:18]) == (303, "/console/platform/"), page.path
        else:
            assert reply.status == 403, page.path


@pytest.mark.parametrize("role", [role for role in PLATFORM if "accounts.act_as" in PLATFORM[role]])
def test_who_looks_at_an_account_sees_its_pages_and_changes_nothing(admin: AdminHarness, role: str) -> None:
    browser = signed_in(admin, of_platform(admin, role))
    browser.post(f"/console/platform/accounts/{admin.accounts['alpha']}/act")
    for page in PAGES:
        if page.of_platform or page.path.startswith(OWN):
            continue
        reply = ask(browser, page)
        if page.method == "POST":
            assert reply.status == 403, page.path
        else:
            holds = page.may == SIGNED_IN or page.may in ACTING & PLATFORM[role]
            assert (reply.status != 403) is holds, page.path
            if reply.headers.get("content-type", "").startswith("text/html"):
                assert "Nothing can be changed here" in reply.html, page.path


def ids_of(admin: AdminHarness, account: str) -> dict[str, str]:
    """An object of each kind of an account, by what it is."""
    key, run = admin.services.directory.keys[admin.keys[f"{account}-live"]], admin.runner.run
    limit = run(limits.put(admin.services, OPERATOR, {"requests_per_minute": 5}, key=key.id))[0].rule
    assert limit is not None
    budget = run(budgets.put(admin.services, OPERATOR, key=key.id, amount_usd="5", window="day"))
    email = member(admin, account, "admin")
    signed_in(admin, email)
    person = run(admin.services.rows.read(lambda tables: tables.people.by_email(email)))
    assert person is not None
    (session,) = admin.services.sessions.of_person(person.id)
    return {
        "account": key.account_id,
        "project": key.project_id,
        "key": key.id,
        "request": admin.call(f"{account}-live", 7).id,
        "limit": limit.id,
        "budget": budget.id,
        "person": person.id,
        "session": session.id,
        "ticket": run(tickets.create(admin.services, OPERATOR, subject="x", text="y", account=account)).id,
    }


def test_another_account_s_object_is_answered_like_an_unknown_one(admin: AdminHarness) -> None:
    browser, foreign = signed_in(admin, member(admin, "alpha")), ids_of(admin, "beta")
    known = [page for page in WITH_ID if not page.of_platform]
    assert len(known) > 5
    for page in known:
        for kind, object_id in foreign.items():
            unknown_id = object_id[:-4] + ("aaaa" if object_id[-4:] != "aaaa" else "bbbb")
            met, unknown = ask(browser, page, object_id), ask(browser, page, unknown_id)
            told = met.html.replace(object_id, "ID"), unknown.html.replace(unknown_id, "ID")
            assert met.status == unknown.status, (page.method, page.path, kind)
            assert met.status >= 400, (page.method, page.path, kind)
            assert told[0] == told[1], (page.method, page.path, kind)


def test_each_kind_of_object_is_found_by_its_own_account(admin: AdminHarness) -> None:
    """So that the test above asks for what there is."""
    browser, own = signed_in(admin, member(admin, "alpha")), ids_of(admin, "alpha")
    found = {
        kind
        for kind, object_id in own.items()
        for page in WITH_ID
        if not page.of_platform and ask(browser, page, object_id).status < 400
    }
    assert {"key", "request", "budget", "limit", "ticket"} <= found


def test_platform_page_of_an_object_that_is_not_there_is_not_found(admin: AdminHarness) -> None:
    browser = signed_in(admin, of_platform(admin))
    for page in WITH_ID:
        if page.of_platform and page.method == "GET":
            assert ask(browser, page, "nothing").status == 404, page.path

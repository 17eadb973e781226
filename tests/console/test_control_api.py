"""A session of the console is a credential for the control API: it may what its person's role may, in their account."""

from functools import partial
from typing import Any

import msgspec
import pytest

from tests.admin.harness import AdminHarness, AdminReply
from tests.console.harness import Browser, member, of_platform
from tollhouse.console import visitor_of
from tollhouse.edge.admin.application import ControlApi
from tollhouse.edge.admin.callers import on_the_listener


class SessionCaller:
    """Asks the control API with the cookie of a browser that is signed in."""

    def __init__(self, admin: AdminHarness, email: str) -> None:
        self.admin, self.browser = admin, Browser(admin)
        self.browser.sign_in(email)
        self.browser.get("/console/keys")
        callers = on_the_listener(
            admin.services.directory.find, lambda scope: "192.0.2.1", visitor_of=partial(visitor_of, admin.services)
        )
        self.api = ControlApi(admin.listener.context, callers, admin.clock, admin.random, defect=admin.note_defect)

    def ask(self, method: str, target: str, body: Any = None, *, csrf: bool = True, key: str = "") -> AdminReply:
        headers = [(b"cookie", self.browser.cookie.encode())]
        if csrf:
            headers.append((b"x-csrf-token", self.browser.csrf.encode()))
        if key:
            headers.append((b"authorization", f"Bearer {key}".encode()))
        return self.admin.ask(method, target, body, headers=headers, api=self.api)


def test_owner_reads_and_changes_their_own_account_only(admin: AdminHarness) -> None:
    owner = SessionCaller(admin, member(admin, "alpha"))
    keys = owner.ask("GET", "/api/v1/keys").body["data"]
    assert {one["account_id"] for one in keys} == {admin.accounts["alpha"]}
    made = owner.ask("POST", "/api/v1/keys", {"name": "by session"})
    assert made.status == 201
    foreign, unknown = admin.keys["beta-live"], "key_aaaaaaaaaaaaaaaaaaaaaaaaaa"
    answers = [owner.ask("POST", f"/api/v1/keys/{one}/revoke", {}) for one in (foreign, unknown)]
    assert [one.status for one in answers] == [404, 404]
    assert answers[0].message.replace(foreign, "") == answers[1].message.replace(unknown, "")
    rows = admin.operator("GET", "/api/v1/audit").body["data"]
    (row,) = [one for one in rows if one["object_id"] == made.body["id"]]
    assert row["actor"]["kind"] == "person"


@pytest.mark.parametrize("target", ["/api/v1/keys", "/api/v1/keys/key_x/revoke"])
def test_change_needs_the_token_of_the_session(admin: AdminHarness, target: str) -> None:
    owner = SessionCaller(admin, member(admin, "alpha"))
    before = len(admin.services.directory.keys)
    assert owner.ask("POST", target, {"name": "x"}, csrf=False).status == 400
    other = SessionCaller(admin, member(admin, "beta"))
    owner.browser.csrf = other.browser.csrf
    assert owner.ask("POST", target, {"name": "x"}).status == 400
    assert len(admin.services.directory.keys) == before


def test_role_bounds_what_a_session_may(admin: AdminHarness) -> None:
    viewer = SessionCaller(admin, member(admin, "alpha", "viewer"))
    assert viewer.ask("GET", "/api/v1/keys").status == 200
    refused = viewer.ask("POST", "/api/v1/keys", {"name": "x"})
    assert (refused.status, refused.code) == (403, "scope_missing")
    assert "viewer" in refused.message


def test_platform_s_people_see_all_accounts_and_members_do_not(admin: AdminHarness) -> None:
    operator = SessionCaller(admin, of_platform(admin))
    names = {one["name"] for one in operator.ask("GET", "/api/v1/accounts").body["data"]}
    assert names >= {"alpha", "beta"}
    owner = SessionCaller(admin, member(admin, "alpha"))
    assert owner.ask("GET", "/api/v1/accounts").status in (200, 403)
    assert "beta" not in msgspec.json.encode(owner.ask("GET", "/api/v1/accounts").body).decode()


def test_key_goes_before_a_session(admin: AdminHarness) -> None:
    owner = SessionCaller(admin, member(admin, "alpha"))
    seen = owner.ask("GET", "/api/v1/keys", key=admin.secrets["beta-admin"]).body["data"]
    assert {one["account_id"] for one in seen} == {admin.accounts["beta"]}
    assert owner.ask("GET", "/api/v1/keys", key="sk-th-admin-wrong").status == 401


def test_session_that_ended_is_nobody(admin: AdminHarness) -> None:
    owner = SessionCaller(admin, member(admin, "alpha"))
    cookie = owner.browser.cookie
    owner.browser.post("/console/sign-out")
    owner.browser.cookie = cookie
    assert owner.ask("GET", "/api/v1/keys").status == 401

"""The walk over the table: nobody reaches a route that is not for him, and another's object is not there."""

import json

import pytest

from tests.admin.harness import OPERATOR, TABLE, AdminHarness, AdminReply
from tollhouse.core.person import Person
from tollhouse.edge.admin.application import find
from tollhouse.edge.admin.route import AdminRoute
from tollhouse.services import people

PUBLIC = [
    "keys.report_leak",  # who finds a key is a stranger; the whole secret says what it is about
    *("alerts.ask", "alerts.confirm"),  # readers of mail have no key: the token says who they are
    "support.diagnose",  # who has no working key needs it most; the whole secret says what it is about
    "openapi",
]
"""The named list: what answers without a credential. A new public route needs a reason and a line here."""

ALL = [pytest.param(route, id=route.name) for route in TABLE]

WITH_ID = [pytest.param(route, id=route.name) for route in TABLE if "{id}" in route.path]


def target(route: AdminRoute, object_id: str) -> str:
    return route.path.replace("{id}", object_id)


def sample(route: AdminRoute) -> object:
    return None if route.method == "GET" else {}


def object_of(admin_harness: AdminHarness, route: AdminRoute, account: str) -> str:
    """The id of an object of this account that the route could act on."""
    noun = route.name.partition(".")[0]
    if noun == "accounts":
        return admin_harness.accounts[account]
    if noun == "keys":
        return admin_harness.keys[f"{account}-live"]
    if noun == "people":
        return _person(admin_harness, account).id
    if noun == "tickets":
        given = {"subject": "x", "text": "x", "account": account}
        return str(admin_harness.operator("POST", "/api/v1/tickets", given).body["id"])
    if noun == "requests":
        return admin_harness.call(f"{account}-live").id
    return next(
        one.id
        for one in admin_harness.services.directory.projects.values()
        if one.account_id == admin_harness.accounts[account]
    )


def _person(admin_harness: AdminHarness, account: str) -> Person:
    email, runner = f"{account}@people.example", admin_harness.runner
    known = runner.run(admin_harness.store.read(lambda tables: tables.people.by_email(email)))
    return known or runner.run(
        people.create(
            admin_harness.services, OPERATOR, email=email, password="plum ladder quiet", role="owner", account=account
        )
    )


def test_the_public_list_is_as_named() -> None:
    assert [route.name for route in TABLE if "public" in route.who] == PUBLIC


@pytest.mark.parametrize("route", ALL)
def test_without_a_credential_only_the_public_list_answers(admin_harness: AdminHarness, route: AdminRoute) -> None:
    reply = admin_harness.ask(route.method, target(route, "x"), sample(route))
    public = 200 if route.name in ("openapi", "support.diagnose") else 400  # no token is given
    assert reply.status == (public if route.name in PUBLIC else 401)


@pytest.mark.parametrize("route", ALL)
@pytest.mark.parametrize(("key", "who"), [("alpha-admin", "account"), ("alpha-live", "key"), ("alpha-test", "key")])
def test_each_role_reaches_only_what_the_table_gives_it(
    admin_harness: AdminHarness, route: AdminRoute, key: str, who: str
) -> None:
    reply = admin_harness.bearer(key, route.method, target(route, "nothing-of-this-name"), sample(route))
    if who in route.who:
        assert reply.status in (200, 400, 404)
    else:
        assert (reply.status, reply.code) == (403, "scope_missing")


@pytest.mark.parametrize("route", WITH_ID)
@pytest.mark.parametrize("key", ["alpha-admin", "alpha-live"])
def test_anothers_object_answers_as_one_that_never_was(
    admin_harness: AdminHarness, route: AdminRoute, key: str
) -> None:
    foreign = object_of(admin_harness, route, "beta")
    unknown = foreign[:-1] + ("a" if foreign[-1] != "a" else "b")
    replies = [admin_harness.bearer(key, route.method, target(route, one), sample(route)) for one in (foreign, unknown)]
    told = [
        (reply.status, json.dumps(reply.body).replace(one, "ID"))
        for reply, one in zip(replies, (foreign, unknown), strict=True)
    ]
    assert told[0] == told[1]
    assert replies[0].status in (403, 404)


@pytest.mark.parametrize("key", ["alpha-admin", "alpha-live"])
@pytest.mark.parametrize("path", ["keys", "projects", "audit", "usage"])
def test_another_account_cannot_be_asked_for_in_a_query(admin_harness: AdminHarness, key: str, path: str) -> None:
    foreign = admin_harness.bearer(key, "GET", f"/api/v1/{path}?account={admin_harness.accounts['beta']}")
    unknown = admin_harness.bearer(key, "GET", f"/api/v1/{path}?account=acc_nobody")
    assert foreign.status in (403, 404)
    assert (foreign.status, foreign.code) == (unknown.status, unknown.code)


def test_lists_show_an_account_its_own_only(admin_harness: AdminHarness) -> None:
    for path in ("accounts", "keys", "projects", "audit"):
        text = json.dumps(admin_harness.bearer("alpha-admin", "GET", f"/api/v1/{path}").body)
        assert admin_harness.accounts["alpha"] in text
        assert admin_harness.accounts["beta"] not in text


def test_an_account_cannot_make_things_for_another(admin_harness: AdminHarness) -> None:
    for path in ("keys", "projects"):
        reply = admin_harness.bearer(
            "alpha-admin", "POST", f"/api/v1/{path}", {"name": "x", "account": admin_harness.accounts["beta"]}
        )
        assert reply.status == 404


def test_an_api_key_sees_itself_and_nothing_else(admin_harness: AdminHarness) -> None:
    own = admin_harness.bearer("alpha-live", "GET", f"/api/v1/keys/{admin_harness.keys['alpha-live']}")
    assert (own.status, own.body["id"]) == (200, admin_harness.keys["alpha-live"])
    sibling = admin_harness.bearer("alpha-live", "GET", f"/api/v1/keys/{admin_harness.keys['alpha-test']}")
    assert (sibling.status, sibling.code) == (404, "not_found")
    assert admin_harness.bearer("alpha-live", "GET", "/api/v1/usage").status == 200
    assert (
        admin_harness.bearer("alpha-live", "GET", f"/api/v1/usage?key={admin_harness.keys['alpha-test']}").body["data"]
        == []
    )


def test_a_key_without_the_scope_usage_reads_nothing(admin_harness: AdminHarness) -> None:
    made = admin_harness.operator(
        "POST", "/api/v1/keys", {"name": "narrow", "account": "alpha", "scopes": ["inference"]}
    )
    reply = admin_harness.bearer(made.body["secret"], "GET", "/api/v1/usage")
    assert (reply.status, reply.code) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("transaction", "status", "code"), [("freeze", 403, "key_frozen"), ("revoke", 401, "invalid_api_key")]
)
def test_a_stopped_admin_key_is_refused_on_the_next_request(
    admin_harness: AdminHarness, transaction: str, status: int, code: str
) -> None:
    assert admin_harness.bearer("alpha-admin", "GET", "/api/v1/keys").status == 200
    admin_harness.operator("POST", f"/api/v1/keys/alpha-admin/{transaction}", {})
    reply = admin_harness.bearer("alpha-admin", "GET", "/api/v1/keys")
    assert (reply.status, reply.code) == (status, code)


def test_a_suspended_account_is_refused_everywhere(admin_harness: AdminHarness) -> None:
    admin_harness.operator("POST", "/api/v1/accounts/alpha/suspend", {"reason": "unpaid"})
    reply = admin_harness.bearer("alpha-admin", "GET", "/api/v1/keys")
    assert (reply.status, reply.code) == (403, "account_suspended")
    assert admin_harness.bearer("beta-admin", "GET", "/api/v1/keys").status == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nowhere", 404),
        ("GET", "/api", 404),
        ("GET", "/api/v1/keys/", 404),
        ("GET", "/api/v1//keys", 404),
        ("GET", "/api/v1/keys/../accounts", 404),
        ("GET", "/api/%76%31/keys", 404),
        ("DELETE", "/api/v1/keys", 405),
        ("OPTIONS", "/api/v1/keys", 405),
        ("PUT", "/api/v1/keys/x", 405),
    ],
)
def test_paths_that_are_none_are_json_without_data(
    admin_harness: AdminHarness, method: str, path: str, status: int
) -> None:
    reply: AdminReply = admin_harness.ask(method, path)
    assert reply.status == status
    assert status != 405 or "GET" in reply.headers["allow"]


def test_every_route_finds_itself_and_no_other() -> None:
    for route in TABLE:
        assert find(TABLE, route.method, target(route, "some-id")) == (
            route,
            "some-id" if "{id}" in route.path else "",
        )
    assert find(TABLE, "GET", "/api/v1/keys/a%2Fb")[1] == "a/b"

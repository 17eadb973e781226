"""The walk over the table: nobody reaches a route that is not for him, and another's object is not there."""

import json

import pytest

from tests.admin.desk_at_work import TABLE, Desks, Reply
from tollhouse.edge.admin.application import find
from tollhouse.edge.admin.route import Route

PUBLIC = ["alerts.ask", "alerts.confirm", "openapi"]  # readers of mail have no key: the token says who they are
"""The named list: what answers without a credential. A new public route needs a reason and a line here."""

ALL = [pytest.param(route, id=route.name) for route in TABLE]

WITH_ID = [pytest.param(route, id=route.name) for route in TABLE if "{id}" in route.path]


def target(route: Route, object_id: str) -> str:
    return route.path.replace("{id}", object_id)


def sample(route: Route) -> object:
    return None if route.method == "GET" else {}


def object_of(desks: Desks, route: Route, account: str) -> str:
    """The id of an object of this account that the route could act on."""
    noun = route.name.partition(".")[0]
    if noun == "accounts":
        return desks.accounts[account]
    if noun == "keys":
        return desks.keys[f"{account}-live"]
    if noun == "requests":
        return desks.call(f"{account}-live").id
    return next(one.id for one in desks.office.directory.projects.values() if one.account_id == desks.accounts[account])


def test_the_public_list_is_as_named() -> None:
    assert [route.name for route in TABLE if "public" in route.who] == PUBLIC


@pytest.mark.parametrize("route", ALL)
def test_incident_13_without_a_credential_only_the_public_list_answers(desks: Desks, route: Route) -> None:
    reply = desks.ask(route.method, target(route, "x"), sample(route))
    public = 200 if route.name == "openapi" else 400  # no token is given
    assert reply.status == (public if route.name in PUBLIC else 401)


@pytest.mark.parametrize("route", ALL)
@pytest.mark.parametrize(("key", "who"), [("alpha-admin", "account"), ("alpha-live", "key"), ("alpha-test", "key")])
def test_each_role_reaches_only_what_the_table_gives_it(desks: Desks, route: Route, key: str, who: str) -> None:
    reply = desks.bearer(key, route.method, target(route, "nothing-of-this-name"), sample(route))
    if who in route.who:
        assert reply.status in (200, 400, 404)
    else:
        assert (reply.status, reply.code) == (403, "scope_missing")


@pytest.mark.parametrize("route", WITH_ID)
@pytest.mark.parametrize("key", ["alpha-admin", "alpha-live"])
def test_incident_12_anothers_object_answers_as_one_that_never_was(desks: Desks, route: Route, key: str) -> None:
    foreign = object_of(desks, route, "beta")
    unknown = foreign[:-1] + ("a" if foreign[-1] != "a" else "b")
    replies = [desks.bearer(key, route.method, target(route, one), sample(route)) for one in (foreign, unknown)]
    told = [
        (reply.status, json.dumps(reply.body).replace(one, "ID"))
        for reply, one in zip(replies, (foreign, unknown), strict=True)
    ]
    assert told[0] == told[1]
    assert replies[0].status in (403, 404)


@pytest.mark.parametrize("key", ["alpha-admin", "alpha-live"])
@pytest.mark.parametrize("path", ["keys", "projects", "audit", "usage"])
def test_another_account_cannot_be_asked_for_in_a_query(desks: Desks, key: str, path: str) -> None:
    foreign = desks.bearer(key, "GET", f"/api/v1/{path}?account={desks.accounts['beta']}")
    unknown = desks.bearer(key, "GET", f"/api/v1/{path}?account=acc_nobody")
    assert foreign.status in (403, 404)
    assert (foreign.status, foreign.code) == (unknown.status, unknown.code)


def test_lists_show_an_account_its_own_only(desks: Desks) -> None:
    for path in ("accounts", "keys", "projects", "audit"):
        text = json.dumps(desks.bearer("alpha-admin", "GET", f"/api/v1/{path}").body)
        assert desks.accounts["alpha"] in text
        assert desks.accounts["beta"] not in text


def test_an_account_cannot_make_things_for_another(desks: Desks) -> None:
    for path in ("keys", "projects"):
        reply = desks.bearer("alpha-admin", "POST", f"/api/v1/{path}", {"name": "x", "account": desks.accounts["beta"]})
        assert reply.status == 404


def test_an_api_key_sees_itself_and_nothing_else(desks: Desks) -> None:
    own = desks.bearer("alpha-live", "GET", f"/api/v1/keys/{desks.keys['alpha-live']}")
    assert (own.status, own.body["id"]) == (200, desks.keys["alpha-live"])
    sibling = desks.bearer("alpha-live", "GET", f"/api/v1/keys/{desks.keys['alpha-test']}")
    assert (sibling.status, sibling.code) == (404, "not_found")
    assert desks.bearer("alpha-live", "GET", "/api/v1/usage").status == 200
    assert desks.bearer("alpha-live", "GET", f"/api/v1/usage?key={desks.keys['alpha-test']}").body["data"] == []


def test_a_key_without_the_scope_usage_reads_nothing(desks: Desks) -> None:
    made = desks.operator("POST", "/api/v1/keys", {"name": "narrow", "account": "alpha", "scopes": ["inference"]})
    reply = desks.bearer(made.body["secret"], "GET", "/api/v1/usage")
    assert (reply.status, reply.code) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("deed", "status", "code"), [("freeze", 403, "key_frozen"), ("revoke", 401, "invalid_api_key")]
)
def test_a_stopped_admin_key_is_refused_on_the_next_request(desks: Desks, deed: str, status: int, code: str) -> None:
    assert desks.bearer("alpha-admin", "GET", "/api/v1/keys").status == 200
    desks.operator("POST", f"/api/v1/keys/alpha-admin/{deed}", {})
    reply = desks.bearer("alpha-admin", "GET", "/api/v1/keys")
    assert (reply.status, reply.code) == (status, code)


def test_a_suspended_account_is_refused_everywhere(desks: Desks) -> None:
    desks.operator("POST", "/api/v1/accounts/alpha/suspend", {"reason": "unpaid"})
    reply = desks.bearer("alpha-admin", "GET", "/api/v1/keys")
    assert (reply.status, reply.code) == (403, "account_suspended")
    assert desks.bearer("beta-admin", "GET", "/api/v1/keys").status == 200


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
def test_paths_that_are_none_are_json_without_data(desks: Desks, method: str, path: str, status: int) -> None:
    reply: Reply = desks.ask(method, path)
    assert reply.status == status
    assert status != 405 or "GET" in reply.headers["allow"]


def test_every_route_finds_itself_and_no_other() -> None:
    for route in TABLE:
        assert find(TABLE, route.method, target(route, "some-id")) == (
            route,
            "some-id" if "{id}" in route.path else "",
        )
    assert find(TABLE, "GET", "/api/v1/keys/a%2Fb")[1] == "a/b"

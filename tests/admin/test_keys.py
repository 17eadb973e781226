"""Keys through the control API: what is shown once, what a lost answer leaves, what rotation does to each state."""

import json

import pytest

from tests.admin.desk_at_work import Desks, Reply

DAY_MS = 86_400_000


def works(desks: Desks, secret: str) -> bool:
    reply = desks.bearer(secret, "GET", "/api/v1/usage")
    assert reply.status in (200, 401, 403)
    return reply.status == 200


def rotate(desks: Desks, body: object, key: str = "alpha-live") -> Reply:
    return desks.bearer("alpha-admin", "POST", f"/api/v1/keys/{desks.keys.get(key, key)}/rotate", body)


def test_a_secret_is_shown_once_and_stands_in_no_other_answer(desks: Desks) -> None:
    made = desks.bearer("alpha-admin", "POST", "/api/v1/keys", {"name": "ci", "tags": {"team": "a"}})
    assert made.status == 201
    secret = made.body["secret"]
    assert works(desks, secret)
    for path in (f"/api/v1/keys/{made.body['id']}", "/api/v1/keys", "/api/v1/audit"):
        assert secret not in json.dumps(desks.bearer("alpha-admin", "GET", path).body)
    shown = desks.bearer("alpha-admin", "GET", f"/api/v1/keys/{made.body['id']}").body
    assert (shown["last4"], shown["tags"], shown["mode"]) == (secret[-4:], {"team": "a"}, "live")
    assert "secret" not in shown


def test_k02_both_secrets_answer_until_the_overlap_ends_also_after_a_restart(desks: Desks) -> None:
    old = desks.secrets["alpha-live"]
    new = rotate(desks, {"overlap": "60s"}).body["secret"]
    desks.clock.ms += 59_999
    assert (works(desks, old), works(desks, new)) == (True, True)
    desks.close()
    desks.open()
    assert (works(desks, old), works(desks, new)) == (True, True)
    desks.clock.ms += 1
    refused = desks.bearer(old, "GET", "/api/v1/usage")
    assert refused.status == 401
    assert "rotated" in refused.message
    assert works(desks, new)


def test_k02_without_an_overlap_the_old_secret_ends_at_once(desks: Desks) -> None:
    old = desks.secrets["alpha-live"]
    assert works(desks, rotate(desks, {}).body["secret"])
    assert not works(desks, old)


def test_k02_a_second_rotation_leaves_the_last_two_alive(desks: Desks) -> None:
    first = desks.secrets["alpha-live"]
    second = rotate(desks, {"overlap": "1h"}).body["secret"]
    third = rotate(desks, {"overlap": "1h"}).body["secret"]
    assert [works(desks, secret) for secret in (first, second, third)] == [False, True, True]


def test_k02_an_overlap_from_first_use_waits_for_it(desks: Desks) -> None:
    body = rotate(desks, {"overlap": "60s", "from": "first-use"}).body
    desks.clock.ms += DAY_MS
    assert works(desks, desks.secrets["alpha-live"])
    assert body["secrets"][1]["overlap_seconds"] == 60


def test_k03_after_a_lost_answer_the_state_tells_and_a_repeat_says_what_it_did(desks: Desks) -> None:
    lost = rotate(desks, {"overlap": "1h"}).body
    state = desks.bearer("alpha-admin", "GET", f"/api/v1/keys/{desks.keys['alpha-live']}").body
    assert state["id"] == desks.keys["alpha-live"]
    assert state["last4"] == lost["secret"][-4:]
    assert state["rotated_at"] == "2027-01-15T08:00:00Z"
    headers = [
        (b"authorization", f"Bearer {desks.secrets['alpha-admin']}".encode()),
        (b"idempotency-key", b"again"),
    ]
    path = f"/api/v1/keys/{desks.keys['alpha-live']}/rotate"
    repeat = desks.ask("POST", path, {"overlap": "1h"}, headers).body
    assert repeat["id"] == state["id"]
    assert repeat["secret"] == lost["secret"] or "new secret" in repeat["message"]
    actions = [
        row["action"] for row in desks.bearer("alpha-admin", "GET", f"/api/v1/audit?object={state['id']}").body["data"]
    ]
    assert actions.count("key.rotate") == 2


def test_k06_rotating_a_revoked_or_frozen_key_is_refused(desks: Desks) -> None:
    desks.operator("POST", "/api/v1/keys/alpha-test/freeze", {})
    frozen = rotate(desks, {}, "alpha-test")
    assert (frozen.status, frozen.code) == (409, "conflict")
    desks.operator("POST", "/api/v1/keys/alpha-live/revoke", {})
    revoked = rotate(desks, {}, "alpha-live")
    assert (revoked.status, revoked.code) == (409, "conflict")


def test_k06_rotating_an_expired_key_asks_for_a_new_expiry(desks: Desks) -> None:
    made = desks.operator("POST", "/api/v1/keys", {"name": "short", "account": "alpha", "expires": "1h"}).body
    desks.clock.ms += DAY_MS
    refused = rotate(desks, {}, made["id"])
    assert (refused.status, refused.body["error"]["param"]) == (400, "expires")
    renewed = rotate(desks, {"expires": "30d"}, made["id"])
    assert renewed.status == 200
    assert works(desks, renewed.body["secret"])


@pytest.mark.parametrize("expires", ["30d", "2w", "2027-02-01", "2027-02-01T00:00:00+02:00"])
def test_expiry_is_a_duration_a_date_or_a_time(desks: Desks, expires: str) -> None:
    made = desks.operator("POST", "/api/v1/keys", {"name": "x", "account": "alpha", "expires": expires})
    assert made.status == 201
    assert made.body["expires_at"].startswith("2027-0")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "name"),
        ({"name": 1}, "name"),
        ({"name": True}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": "x", "mode": "root"}, "mode"),
        ({"name": "x", "scopes": ["root"]}, "scopes"),
        ({"name": "x", "scopes": []}, "scopes"),
        ({"name": "x", "scopes": "usage"}, "scopes"),
        ({"name": "x", "models": ["a*b"]}, "models"),
        ({"name": "x", "networks": ["10.0.0.0/99"]}, "networks"),
        ({"name": "x", "expires": "yesterday"}, "expires"),
        ({"name": "x", "expires": "2020-01-01"}, "expires"),
        ({"name": "x", "expires": "2027-02-01T00:00:00"}, "expires"),
        ({"name": "x", "tags": {"a": 1}}, "tags"),
        ({"name": "x", "tags": ["a"]}, "tags"),
        ({"name": "x", "state": "active"}, "state"),
        ({"name": "x", "account_id": "acc_other"}, "account_id"),
    ],
)
def test_incident_4_wrong_types_and_unknown_fields_are_named(desks: Desks, body: object, param: str) -> None:
    reply = desks.bearer("alpha-admin", "POST", "/api/v1/keys", body)
    assert (reply.status, reply.body["error"]["param"]) == (400, param)


@pytest.mark.parametrize("overlap", ["8d", "-1s", "soon", "1.5h", "", "999999w"])
def test_an_overlap_that_is_none_is_refused(desks: Desks, overlap: str) -> None:
    reply = rotate(desks, {"overlap": overlap})
    assert (reply.status, reply.body["error"]["param"]) == (400, "overlap")
    assert works(desks, desks.secrets["alpha-live"]), "a refused rotation changes nothing"


def test_pages_lead_through_the_whole_list_once(desks: Desks) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = desks.operator("GET", f"/api/v1/keys?limit=4{after}").body
        seen += [key["id"] for key in page["data"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(seen) == sorted(desks.keys.values())


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=5&limit=6", "after=nonsense", "colour=red", "limit=501"]
)
def test_a_query_is_read_strictly(desks: Desks, query: str) -> None:
    assert desks.operator("GET", f"/api/v1/keys?{query}").status == 400

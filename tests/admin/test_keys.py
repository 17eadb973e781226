"""Keys through the control API: what is shown once, what a lost answer leaves, what rotation does to each state."""

import json

import pytest

from tests.admin.harness import AdminHarness, AdminReply

DAY_MS = 86_400_000


def works(admin_harness: AdminHarness, secret: str) -> bool:
    reply = admin_harness.bearer(secret, "GET", "/api/v1/usage")
    assert reply.status in (200, 401, 403)
    return reply.status == 200


def rotate(admin_harness: AdminHarness, body: object, key: str = "alpha-live") -> AdminReply:
    return admin_harness.bearer("alpha-admin", "POST", f"/api/v1/keys/{admin_harness.keys.get(key, key)}/rotate", body)


def test_a_secret_is_shown_once_and_stands_in_no_other_answer(admin_harness: AdminHarness) -> None:
    made = admin_harness.bearer("alpha-admin", "POST", "/api/v1/keys", {"name": "ci", "tags": {"team": "a"}})
    assert made.status == 201
    secret = made.body["secret"]
    assert works(admin_harness, secret)
    for path in (f"/api/v1/keys/{made.body['id']}", "/api/v1/keys", "/api/v1/audit"):
        assert secret not in json.dumps(admin_harness.bearer("alpha-admin", "GET", path).body)
    shown = admin_harness.bearer("alpha-admin", "GET", f"/api/v1/keys/{made.body['id']}").body
    assert (shown["last4"], shown["tags"], shown["mode"]) == (secret[-4:], {"team": "a"}, "live")
    assert "secret" not in shown


def test_both_secrets_answer_until_the_overlap_ends_also_after_a_restart(admin_harness: AdminHarness) -> None:
    old = admin_harness.secrets["alpha-live"]
    new = rotate(admin_harness, {"overlap": "60s"}).body["secret"]
    admin_harness.clock.ms += 59_999
    assert (works(admin_harness, old), works(admin_harness, new)) == (True, True)
    admin_harness.close()
    admin_harness.open()
    assert (works(admin_harness, old), works(admin_harness, new)) == (True, True)
    admin_harness.clock.ms += 1
    refused = admin_harness.bearer(old, "GET", "/api/v1/usage")
    assert refused.status == 401
    assert "rotated" in refused.message
    assert works(admin_harness, new)


def test_without_an_overlap_the_old_secret_ends_at_once(admin_harness: AdminHarness) -> None:
    old = admin_harness.secrets["alpha-live"]
    assert works(admin_harness, rotate(admin_harness, {}).body["secret"])
    assert not works(admin_harness, old)


def test_a_second_rotation_leaves_the_last_two_alive(admin_harness: AdminHarness) -> None:
    first = admin_harness.secrets["alpha-live"]
    second = rotate(admin_harness, {"overlap": "1h"}).body["secret"]
    third = rotate(admin_harness, {"overlap": "1h"}).body["secret"]
    assert [works(admin_harness, secret) for secret in (first, second, third)] == [False, True, True]


def test_an_overlap_from_first_use_waits_for_it(admin_harness: AdminHarness) -> None:
    body = rotate(admin_harness, {"overlap": "60s", "from": "first-use"}).body
    admin_harness.clock.ms += DAY_MS
    assert works(admin_harness, admin_harness.secrets["alpha-live"])
    assert body["secrets"][1]["overlap_seconds"] == 60


def test_after_a_lost_answer_the_state_tells_and_a_repeat_says_what_it_did(admin_harness: AdminHarness) -> None:
    lost = rotate(admin_harness, {"overlap": "1h"}).body
    state = admin_harness.bearer("alpha-admin", "GET", f"/api/v1/keys/{admin_harness.keys['alpha-live']}").body
    assert state["id"] == admin_harness.keys["alpha-live"]
    assert state["last4"] == lost["secret"][-4:]
    assert state["rotated_at"] == "2027-01-15T08:00:00Z"
    headers = [
        (b"authorization", f"Bearer {admin_harness.secrets['alpha-admin']}".encode()),
        (b"idempotency-key", b"again"),
    ]
    path = f"/api/v1/keys/{admin_harness.keys['alpha-live']}/rotate"
    repeat = admin_harness.ask("POST", path, {"overlap": "1h"}, headers).body
    assert repeat["id"] == state["id"]
    assert repeat["secret"] == lost["secret"] or "new secret" in repeat["message"]
    actions = [
        row["action"]
        for row in admin_harness.bearer("alpha-admin", "GET", f"/api/v1/audit?object={state['id']}").body["data"]
    ]
    assert actions.count("key.rotate") == 2


def test_rotating_a_revoked_or_frozen_key_is_refused(admin_harness: AdminHarness) -> None:
    admin_harness.operator("POST", "/api/v1/keys/alpha-test/freeze", {})
    frozen = rotate(admin_harness, {}, "alpha-test")
    assert (frozen.status, frozen.code) == (409, "conflict")
    admin_harness.operator("POST", "/api/v1/keys/alpha-live/revoke", {})
    revoked = rotate(admin_harness, {}, "alpha-live")
    assert (revoked.status, revoked.code) == (409, "conflict")


def test_rotating_an_expired_key_asks_for_a_new_expiry(admin_harness: AdminHarness) -> None:
    made = admin_harness.operator("POST", "/api/v1/keys", {"name": "short", "account": "alpha", "expires": "1h"}).body
    admin_harness.clock.ms += DAY_MS
    refused = rotate(admin_harness, {}, made["id"])
    assert (refused.status, refused.body["error"]["param"]) == (400, "expires")
    renewed = rotate(admin_harness, {"expires": "30d"}, made["id"])
    assert renewed.status == 200
    assert works(admin_harness, renewed.body["secret"])


@pytest.mark.parametrize("expires", ["30d", "2w", "2027-02-01", "2027-02-01T00:00:00+02:00"])
def test_expiry_is_a_duration_a_date_or_a_time(admin_harness: AdminHarness, expires: str) -> None:
    made = admin_harness.operator("POST", "/api/v1/keys", {"name": "x", "account": "alpha", "expires": expires})
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
def test_wrong_types_and_unknown_fields_are_named(admin_harness: AdminHarness, body: object, param: str) -> None:
    reply = admin_harness.bearer("alpha-admin", "POST", "/api/v1/keys", body)
    assert (reply.status, reply.body["error"]["param"]) == (400, param)


@pytest.mark.parametrize("overlap", ["8d", "-1s", "soon", "1.5h", "", "999999w"])
def test_an_overlap_that_is_none_is_refused(admin_harness: AdminHarness, overlap: str) -> None:
    reply = rotate(admin_harness, {"overlap": overlap})
    assert (reply.status, reply.body["error"]["param"]) == (400, "overlap")
    assert works(admin_harness, admin_harness.secrets["alpha-live"]), "a refused rotation changes nothing"


def test_pages_lead_through_the_whole_list_once(admin_harness: AdminHarness) -> None:
    seen: list[str] = []
    after = ""
    while True:
        page = admin_harness.operator("GET", f"/api/v1/keys?limit=4{after}").body
        seen += [key["id"] for key in page["data"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(seen) == sorted(admin_harness.keys.values())


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=x", "limit=5&limit=6", "after=nonsense", "colour=red", "limit=501"]
)
def test_a_query_is_read_strictly(admin_harness: AdminHarness, query: str) -> None:
    assert admin_harness.operator("GET", f"/api/v1/keys?{query}").status == 400

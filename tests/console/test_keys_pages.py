"""The pages of keys: made, shown once, given a new secret, stopped; and never those of another account."""

import re

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, member


def test_new_key_is_shown_once_with_what_to_run(admin: AdminHarness, owner: Browser) -> None:
    reply = owner.post("/console/keys", name="my program", mode="live", expires="30d", models="gpt-4o* o3")
    secret = re.findall(r"sk-th-live-\w+", reply.html)[0]
    assert reply.status == 200
    assert "http://toll.example/v1/chat/completions" in reply.html
    key = next(one for one in admin.services.directory.keys.values() if one.name == "my program")
    assert (key.models, key.account_id) == (("gpt-4o*", "o3"), admin.accounts["alpha"])
    assert key.expires_at_ms == admin.clock.ms + 30 * 86_400_000
    assert admin.bearer(secret, "GET", f"/api/v1/keys/{key.id}").status == 200
    for path in ("/console/keys", f"/console/keys/{key.id}"):
        assert secret not in owner.get(path).html


def test_wrong_field_is_named_and_what_was_typed_stays(admin: AdminHarness, owner: Browser) -> None:
    reply = owner.post("/console/keys", name="my program", networks="203.0.113.0/99")
    assert reply.status == 400
    assert "networks" in reply.html
    assert 'value="my program"' in reply.html
    assert len(admin.services.directory.keys) == 6


def test_rotated_key_has_another_secret_and_an_overlap(admin: AdminHarness, owner: Browser) -> None:
    key_id = admin.keys["alpha-live"]
    reply = owner.post(f"/console/keys/{key_id}/rotate", overlap="24h", **{"from": "first-use"})
    assert "sk-th-live-" in reply.html
    newest, before = admin.services.directory.keys[key_id].secrets
    assert before.overlap_ms == 86_400_000
    assert newest.last4 in reply.html


def test_key_is_frozen_lives_again_and_is_revoked(admin: AdminHarness, owner: Browser) -> None:
    key_id = admin.keys["alpha-live"]
    for action, state in (("freeze", "frozen"), ("unfreeze", "active"), ("revoke", "revoked")):
        assert owner.post(f"/console/keys/{key_id}/{action}", reason="why not").headers["location"].endswith(key_id)
        assert admin.services.directory.keys[key_id].state == state
        assert state in owner.get(f"/console/keys/{key_id}").html


@pytest.mark.parametrize("action", ["", "/rotate", "/freeze", "/unfreeze", "/revoke"])
def test_key_of_another_account_is_one_that_was_never_made(admin: AdminHarness, owner: Browser, action: str) -> None:
    answers = []
    for key_id in (admin.keys["beta-live"], "key_aaaaaaaaaaaaaaaaaaaaaaaaaa"):
        path = f"/console/keys/{key_id}{action}"
        reply = owner.post(path) if action else owner.get(path)
        answers.append((reply.status, reply.html.replace(key_id, "")))
    assert answers[0] == answers[1]
    assert answers[0][0] == 404
    assert admin.services.directory.keys[admin.keys["beta-live"]].state == "active"


def test_viewer_sees_keys_and_changes_none(admin: AdminHarness) -> None:
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha", "viewer"))
    page = browser.get("/console/keys")
    assert page.status == 200
    assert "/console/keys/new" not in page.html
    for path in ("/console/keys", f"/console/keys/{admin.keys['alpha-live']}/revoke"):
        assert browser.post(path, name="x").status == 403
    assert browser.get("/console/keys/new").status == 403
    assert admin.services.directory.keys[admin.keys["alpha-live"]].state == "active"


def test_hostile_name_of_a_key_is_escaped(admin: AdminHarness, owner: Browser) -> None:
    owner.post("/console/keys", name=HOSTILE)
    for path in ("/console/keys", "/console/requests"):
        assert Outline(owner.get(path).html).tags.count("script") == 1

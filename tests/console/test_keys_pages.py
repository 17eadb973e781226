"""The pages of keys: made, shown once, given a new secret, stopped; and never those of another account."""

import re

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import BROWSER, HOSTILE, Browser, Outline, member
from tests.console.test_pages import require_sound
from tollhouse.core.catalogue import Catalogue, Model


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
        assert Outline(owner.get(path).html).inline_scripts == 0


def sell(admin: AdminHarness, **models: Model) -> None:
    """Put models into the catalogue, as the platform's file does."""
    admin.services.catalogue = Catalogue(models={one.id: one for one in models.values()})


CHAT = Model(id="chat-small", free=True, operations=("chat", "responses"))
LEGACY = Model(id="a-legacy", free=True, operations=("completions",))


def test_snippets_name_a_model_that_this_key_may_call_for_chat(admin: AdminHarness, owner: Browser) -> None:
    sell(admin, a=LEGACY, b=CHAT)
    page = owner.post("/console/keys", name="one").html
    require_sound(page)
    assert "chat-small" in page
    assert "a-legacy" not in page
    for client in ("curl", "OpenAI Python", "Anthropic Node", "Google Gen AI Python", "Codex", "Cline", "Open WebUI"):
        assert f"<summary>{client}</summary>" in page
    narrowed = owner.post("/console/keys", name="two", models="a-*").html
    assert "may call no model" in narrowed
    assert "chat-small" not in narrowed


def test_key_is_made_with_its_budget_its_limits_and_its_tags(admin: AdminHarness, owner: Browser) -> None:
    bounds = {
        "budget_usd": "12.50",
        "budget_window": "day",
        "requests_per_minute": "60",
        "tags": "team=search, env=test",
    }
    assert owner.post("/console/keys", name="bounded", **bounds).status == 200
    key = next(one for one in admin.services.directory.keys.values() if one.name == "bounded")
    (budget,) = admin.bearer("alpha-admin", "GET", "/api/v1/budgets").body["data"]
    (limit,) = (one for one in admin.bearer("alpha-admin", "GET", "/api/v1/limits").body["data"] if one["id"])
    assert (budget["of_id"], budget["amount_usd"], budget["window"], budget["soft"]) == (
        key.id,
        "12.5",
        "day",
        [50, 80, 100],
    )
    assert (limit["of_id"], limit["name"], limit["limit"]) == (key.id, "requests_per_minute", 60)
    assert key.tags == {"team": "search", "env": "test"}
    assert "$12.50 of $12.50 left" in owner.get("/console/keys").html
    assert "$12.50 a day" in owner.get(f"/console/keys/{key.id}").html


@pytest.mark.parametrize(
    "wrong",
    [
        {"budget_usd": "much"},
        {"budget_window": "year", "budget_usd": "1"},
        {"requests_per_minute": "x"},
        {"tags": "team"},
    ],
)
def test_key_whose_bounds_are_wrong_is_not_left_behind(
    admin: AdminHarness, owner: Browser, wrong: dict[str, str]
) -> None:
    reply = owner.post("/console/keys", name="bounded", **wrong)
    assert reply.status == 400
    assert 'value="bounded"' in reply.html
    assert "sk-th-live-" not in reply.html
    made = [one for one in admin.services.directory.keys.values() if one.name == "bounded"]
    assert all(one.state == "revoked" for one in made)


def test_developer_makes_a_key_without_bounds_only(admin: AdminHarness) -> None:
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha", "developer"))
    assert "budget_usd" not in browser.get("/console/keys/new").html
    assert browser.post("/console/keys", name="mine", budget_usd="1").status == 403
    assert browser.post("/console/keys", name="mine", requests_per_minute="1").status == 403
    assert browser.post("/console/keys", name="mine").status == 200


def test_secret_s_page_waits_for_the_first_call_and_announces_it(admin: AdminHarness, owner: Browser) -> None:
    key_id = admin.keys["alpha-live"]
    owner.post(f"/console/keys/{key_id}/rotate", overlap="24h")
    fragment = [*BROWSER, (b"hx-request", b"true")]
    waiting = owner.get(f"/console/keys/{key_id}/first-call", fragment).html
    assert 'hx-trigger="every 2s"' in waiting
    assert "<html" not in waiting
    admin.clock.ms += 10
    last4 = admin.services.directory.keys[key_id].secrets[1].last4
    admin.services.directory.last_uses[key_id] = (admin.clock.ms, "curl/8")
    admin.call("alpha-live", 1, old_secret=last4)
    assert "hx-trigger" in owner.get(f"/console/keys/{key_id}/first-call", fragment).html
    call = admin.call("alpha-live", 2, client="curl/8")
    announced = owner.get(f"/console/keys/{key_id}/first-call", fragment).html
    assert "The first call has come" in announced
    assert f"/console/requests/{call.id}" in announced
    assert "hx-trigger" not in announced
    whole = owner.get(f"/console/keys/{key_id}/first-call")
    require_sound(whole.html)


def test_page_of_a_key_says_who_still_brings_the_old_secret(admin: AdminHarness, owner: Browser) -> None:
    key_id = admin.keys["alpha-live"]
    owner.post(f"/console/keys/{key_id}/rotate", overlap="24h", **{"from": "now"})
    page = owner.get(f"/console/keys/{key_id}")
    require_sound(page.html)
    assert "Nobody has called with the old secret" in page.html
    assert "ends in 24 hours" in page.html
    last4 = admin.services.directory.keys[key_id].secrets[1].last4
    admin.call("alpha-live", 1, old_secret=last4, client="claude-cli/2.1.197")
    admin.call("alpha-live", 2, client="curl/8.0")
    assert "claude-cli/2.1.197 (1 call" in owner.get(f"/console/keys/{key_id}").html
    use = admin.bearer("alpha-admin", "GET", f"/api/v1/keys/{key_id}/use").body
    assert (use["calls"], [one["old_secret"] for one in use["clients"]]) == (2, [None, last4])


def test_revoking_says_first_what_it_stops(admin: AdminHarness, owner: Browser) -> None:
    key_id = admin.keys["alpha-live"]
    page = owner.get(f"/console/keys/{key_id}/revoke")
    require_sound(page.html)
    assert "It made no call in the last 24 hours" in page.html
    for number in range(3):
        admin.call("alpha-live", number, client="curl/8.0")
    page = owner.get(f"/console/keys/{key_id}/revoke")
    assert "it made 3 calls" in page.html
    assert "curl/8.0" in page.html
    assert admin.services.directory.keys[key_id].state == "active"
    assert owner.get(f"/console/keys/{admin.keys['beta-live']}/revoke").status == 404
    assert owner.get(f"/console/keys/{admin.keys['beta-live']}/first-call").status == 404


def test_key_of_an_archived_project_says_so(admin: AdminHarness, owner: Browser) -> None:
    project = admin.bearer("alpha-admin", "POST", "/api/v1/projects", {"name": "old"}).body["id"]
    owner.post("/console/keys", name="in it", project=project)
    admin.bearer("alpha-admin", "POST", f"/api/v1/projects/{project}/archive", {})
    key_id = next(one.id for one in admin.services.directory.keys.values() if one.name == "in it")
    assert "project archived" in owner.get("/console/keys").html
    assert "is archived: the key is refused" in owner.get(f"/console/keys/{key_id}").html

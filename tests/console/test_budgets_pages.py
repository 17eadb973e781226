"""The pages of budgets, limits and alerts: set one, see what is left, try whom it tells; and no other account's."""

import re
from typing import Any

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, member
from tests.console.test_pages import require_sound
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.charge import Charge
from tollhouse.services import budgets

NEW = {"window": "day", "amount_usd": "5", "soft": "50 80 100", "on": "account"}


def standing(admin: AdminHarness, account: str = "alpha") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = admin.bearer(f"{account}-admin", "GET", "/api/v1/budgets").body["data"]
    return found


def test_budget_is_set_shown_changed_and_removed(admin: AdminHarness, owner: Browser) -> None:
    assert "There is no budget" in owner.get("/console/budgets").html
    admin.call("alpha-live", charge=Charge(amount=2 * USD, price_id="price_1"))
    made = owner.post("/console/budgets", **NEW)
    (budget,) = standing(admin)
    assert (made.status, made.headers["location"]) == (303, f"/console/budgets#{budget['id']}")
    assert (budget["amount_usd"], budget["soft"]) == ("5", [50, 80, 100])
    page = owner.get("/console/budgets")
    require_sound(page.html)
    for words in ("$5.00 a day", "$2.00", "$3.00", "50 · 80 · 100 %", "spent − overrun + held ≤ amount"):
        assert words in page.html
    changed = {**NEW, "budget": budget["id"], "amount_usd": "7.50", "soft": "90"}
    assert owner.post("/console/budgets", **changed).status == 303
    (after,) = standing(admin)
    assert (after["id"], after["amount_usd"], after["soft"]) == (budget["id"], "7.5", [90])
    assert owner.post(f"/console/budgets/{budget['id']}/remove").status == 303
    assert standing(admin) == []


def test_budget_stands_on_a_project_or_a_key(admin: AdminHarness, owner: Browser) -> None:
    key_id = admin.keys["alpha-live"]
    page = owner.get(f"/console/budgets/new?on=key:{key_id}")
    assert f'<option value="key:{key_id}" selected>' in page.html
    assert owner.post("/console/budgets", **{**NEW, "on": f"key:{key_id}"}).status == 303
    project_id = admin.services.directory.keys[key_id].project_id
    assert owner.post("/console/budgets", **{**NEW, "on": f"project:{project_id}"}).status == 303
    assert {(one["level"], one["of_id"]) for one in standing(admin)} == {("key", key_id), ("project", project_id)}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"amount_usd": "much"}, "amount_usd"),
        ({"amount_usd": ""}, "amount_usd"),
        ({"soft": "50 eighty"}, "soft"),
        ({"soft": "900"}, "threshold"),
        ({"window": "year"}, "window"),
        ({"mail": "nobody"}, "mail"),
        ({"webhook": "ftp://x.example"}, "webhook"),
        ({"on": "planet"}, "choose the account"),
        ({"on": "key:"}, "choose the account"),
        ({"model": HOSTILE}, "model"),
    ],
)
def test_wrong_field_is_named_and_what_was_typed_stays(
    admin: AdminHarness, owner: Browser, typed: dict[str, str], words: str
) -> None:
    reply = owner.post("/console/budgets", **{**NEW, "amount_usd": "4321", **typed})
    assert reply.status == 400
    assert words in reply.html
    assert Outline(reply.html).inline_scripts == 0
    assert f'value="{typed.get("amount_usd", "4321")}"' in reply.html
    assert standing(admin) == []


def test_wrong_change_of_a_budget_stands_beside_it(admin: AdminHarness, owner: Browser) -> None:
    owner.post("/console/budgets", **NEW)
    (budget,) = standing(admin)
    reply = owner.post("/console/budgets", **{**NEW, "budget": budget["id"], "amount_usd": "lots"})
    assert reply.status == 400
    assert "<details open>" in reply.html
    assert 'value="lots"' in reply.html


def test_budget_is_compared_with_the_last_30_days_before_it_is_set(admin: AdminHarness, owner: Browser) -> None:
    admin.call("alpha-live", charge=Charge(amount=2 * USD, price_id="price_1"))
    reply = owner.post("/console/budgets", **{**NEW, "amount_usd": "2", "do": "rehearse"})
    assert reply.status == 200
    assert "would have been used up on 1 day." in reply.html
    assert 'value="2"' in reply.html
    more = owner.post("/console/budgets", **{**NEW, "amount_usd": "2.01", "do": "rehearse"})
    assert "would not have been used up on any day" in more.html
    assert "The most that one window spent is $2.00." in more.html
    assert standing(admin) == []


def test_above_the_operators_budget_is_refused_with_its_figure(admin: AdminHarness, owner: Browser) -> None:
    ceiling = {"amount_usd": "100", "window": "month", "account": "alpha", "system": True}
    admin.operator("POST", "/api/v1/budgets", ceiling)
    reply = owner.post("/console/budgets", **{**NEW, "window": "month", "amount_usd": "100.01"})
    assert reply.status == 400
    assert "above the 100 USD a month" in reply.html
    assert owner.post("/console/budgets", **{**NEW, "window": "month", "amount_usd": "100"}).status == 303
    page = owner.get("/console/budgets").html
    assert "set by the operator" in page
    (system,) = (one for one in standing(admin) if one["managed_by_operator"])
    assert owner.post(f"/console/budgets/{system['id']}/remove").status == 403


def test_webhook_s_secret_is_shown_once(admin: AdminHarness, owner: Browser) -> None:
    webhook = {**NEW, "webhook": "https://hooks.example/secret-path"}
    reply = owner.post("/console/budgets", **webhook)
    assert (reply.status, len(re.findall(r"whsec_[\w+/=]+", reply.html))) == (200, 2)
    assert owner.post("/console/budgets", **webhook).status == 303
    viewer = Browser(admin)
    viewer.sign_in(member(admin, "alpha", "viewer"))
    page = viewer.get("/console/budgets").html
    assert "https://hooks.example/..." in page
    assert "secret-path" not in page


def test_test_alert_shows_what_the_receiver_said(admin: AdminHarness, owner: Browser) -> None:
    owner.post("/console/budgets", **NEW, webhook="https://hooks.example/x")
    (budget,) = standing(admin)
    reply = owner.post(f"/console/budgets/{budget['id']}/test")
    assert reply.status == 200
    require_sound(reply.html)
    assert "not delivered" in reply.html
    assert "no server runs to send it" in reply.html


def test_alerts_that_were_sent_are_listed(admin: AdminHarness, owner: Browser) -> None:
    admin.call("alpha-live", charge=Charge(amount=4 * USD, price_id="price_1"))
    owner.post("/console/budgets", **NEW)
    for path in ("/console/budgets", "/console/budgets/alerts"):
        page = owner.get(path)
        require_sound(page.html)
        assert "80 % of a budget is used" in page.html
    other = Browser(admin)
    other.sign_in(member(admin, "beta"))
    assert "Nothing was sent yet" in other.get("/console/budgets/alerts").html


def test_limit_is_set_shown_and_removed(admin: AdminHarness, owner: Browser) -> None:
    key_id = admin.keys["alpha-live"]
    given = {"on": f"key:{key_id}", "kind": "requests_per_minute", "most": "1,200", "until": "7d", "note": "a pilot"}
    assert owner.post("/console/budgets/limits", **given).status == 303
    page = owner.get("/console/budgets/limits")
    require_sound(page.html)
    for words in ("requests per minute", "1,200", "a pilot", "alpha-live"):
        assert words in page.html
    (rule,) = (one for one in admin.bearer("alpha-admin", "GET", "/api/v1/limits").body["data"] if one["id"])
    assert (rule["limit"], rule["of_id"]) == (1200, key_id)
    assert owner.post(f"/console/budgets/limits/{rule['id']}/remove").status == 303
    assert "a pilot" not in owner.get("/console/budgets/limits").html


@pytest.mark.parametrize(
    "typed", [{"most": "many"}, {"kind": "smiles"}, {"until": "soon"}, {"on": "x"}, {"model": "?"}]
)
def test_wrong_limit_is_refused_and_what_was_typed_stays(
    owner: Browser, admin: AdminHarness, typed: dict[str, str]
) -> None:
    given = {"on": f"key:{admin.keys['alpha-live']}", "kind": "requests_per_minute", "most": "77", "note": "kept"}
    reply = owner.post("/console/budgets/limits", **{**given, **typed})
    assert reply.status == 400
    assert 'value="kept"' in reply.html


def test_limit_of_the_whole_account_is_the_operator_s(admin: AdminHarness, owner: Browser) -> None:
    given = {"on": "account", "kind": "requests_per_minute", "most": "77"}
    assert owner.post("/console/budgets/limits", **given).status == 403


def test_another_account_s_objects_are_those_that_never_were(admin: AdminHarness, owner: Browser) -> None:
    made = admin.runner.run(budgets.put(admin.services, OPERATOR, amount_usd="5", window="day", account="beta"))
    for action in ("remove", "test"):
        answers = []
        for budget_id in (made.id, "bud_aaaaaaaaaaaaaaaaaaaaaaaaaa"):
            reply = owner.post(f"/console/budgets/{budget_id}/{action}")
            answers.append((reply.status, reply.html.replace(budget_id, "")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert made.id not in owner.get("/console/budgets").html
    for path in ("/console/budgets", "/console/budgets/limits"):
        answers = []
        for key_id in (admin.keys["beta-live"], "key_aaaaaaaaaaaaaaaaaaaaaaaaaa"):
            reply = owner.post(path, **{**NEW, "on": f"key:{key_id}", "kind": "requests_per_minute", "most": "1"})
            answers.append((reply.status, reply.html.replace(key_id, "")))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    assert "beta-live" not in owner.get(f"/console/budgets/new?on=key:{admin.keys['beta-live']}").html


@pytest.mark.parametrize("role", ["viewer", "developer"])
def test_role_that_may_only_look_changes_nothing(admin: AdminHarness, owner: Browser, role: str) -> None:
    owner.post("/console/budgets", **NEW)
    (budget,) = standing(admin)
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha", role))
    page = browser.get("/console/budgets")
    assert page.status == 200
    assert "Remove this budget" not in page.html
    assert "/console/budgets/new" not in page.html
    assert "Set a limit" not in browser.get("/console/budgets/limits").html
    for path in ("/console/budgets/new", "/console/budgets/alerts"):
        assert browser.get(path).status == 403
    for path in ("/console/budgets", f"/console/budgets/{budget['id']}/remove", "/console/budgets/limits"):
        assert browser.post(path, **NEW).status == 403
    assert len(standing(admin)) == 1


def test_hostile_names_are_escaped(admin: AdminHarness, owner: Browser) -> None:
    owner.post("/console/keys", name=HOSTILE)
    key_id = next(one.id for one in admin.services.directory.keys.values() if one.name == HOSTILE)
    owner.post("/console/budgets", **{**NEW, "on": f"key:{key_id}"})
    owner.post("/console/budgets/limits", on=f"key:{key_id}", kind="requests_per_minute", most="1", note=HOSTILE)
    for path in ("/console/budgets", "/console/budgets/new", "/console/budgets/limits", "/console/budgets/alerts"):
        assert Outline(owner.get(path).html).inline_scripts == 0

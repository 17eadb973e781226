"""The page of the audit: a sentence a change, by whom and from where; of one object; older ones; as CSV."""

import csv
import io
import re
from pathlib import Path

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, member, of_platform
from tests.console.test_pages import require_sound
from tollhouse.console import audit_words
from tollhouse.services import accounts

SERVICES = Path(audit_words.__file__).parents[1] / "services"
OF_NO_ACCOUNT = {"code.create", "platform.apply", "price.activate", "price.import", "provider.drain", "provider.resume"}


def test_change_is_told_in_a_sentence_with_who_and_from_where(admin: AdminHarness, owner: Browser) -> None:
    key_id = admin.keys["alpha-live"]
    owner.post(f"/console/keys/{key_id}/freeze", reason="a leak")
    admin.bearer("alpha-admin", "POST", f"/api/v1/keys/{key_id}/unfreeze", {})
    page = owner.get("/console/audit")
    require_sound(page.html)
    for words in (
        "owner@alpha.example froze the key alpha-live.",
        "alpha-admin let the key alpha-live go on.",
        "owner@alpha.example signed in.",
        "The operator created the key alpha-live.",
        "from 203.0.113.7",
        "active → frozen",
        "a leak",
    ):
        assert words in page.html


def test_amount_is_told_in_dollars(admin: AdminHarness, owner: Browser) -> None:
    given = {"window": "day", "on": "account"}
    owner.post("/console/budgets", amount_usd="5", **given)
    owner.post("/console/budgets", amount_usd="7.50", **given)
    assert "$5.00 → $7.50" in owner.get("/console/audit").html


def test_changes_of_one_object_and_older_ones(admin: AdminHarness, owner: Browser) -> None:
    key_id = admin.keys["alpha-live"]
    for _ in range(30):
        for action in ("freeze", "unfreeze"):
            admin.operator("POST", f"/api/v1/keys/{key_id}/{action}", {})
    page = owner.get(f"/console/audit?object={key_id}").html
    assert page.partition("<main")[2].partition("</main>")[0].count("<li>") == 50
    assert "signed in" not in page
    older = re.findall(r'class="older"><a href="([^"]+)"', page)[0].replace("&amp;", "&")
    rest = owner.get(f"/console/audit{older}").html
    assert "The operator created the key alpha-live." in rest
    assert 'class="older"' not in rest


def test_csv_has_what_is_filtered_and_no_formula(admin: AdminHarness, owner: Browser) -> None:
    owner.post("/console/keys", name="=1+1")
    key_id = next(one.id for one in admin.services.directory.keys.values() if one.name == "=1+1")
    told = owner.get(f"/console/audit.csv?object={key_id}")
    assert told.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(told.html.removeprefix("\ufeff")))
    assert (row["action"], row["actor_kind"], row["address"]) == ("key.create", "person", "203.0.113.7")
    assert all(not value.startswith(tuple("=+-@")) for value in row.values())
    key = f"Bearer {admin.secrets['alpha-admin']}".encode()
    headers = [(b"accept", b"text/csv"), (b"authorization", key)]
    assert admin.ask("GET", f"/api/v1/audit?object={key_id}", headers=headers).body == told.html


def test_address_of_who_runs_the_platform_is_not_told(admin: AdminHarness, owner: Browser) -> None:
    elsewhere = Browser(admin, address="198.51.100.9")
    elsewhere.sign_in(of_platform(admin))
    elsewhere.get("/console/platform/accounts")
    account = admin.accounts["alpha"]
    elsewhere.post(f"/console/platform/accounts/{account}/grant", amount_usd="1", reason="r")
    owner.post("/console/keys", name="mine")
    whole = admin.operator("GET", f"/api/v1/audit?account={account}").body["data"]
    assert {row["action"]: row["actor"]["address"] for row in whole if row["action"] in ("credits.grant",)} == {
        "credits.grant": "198.51.100.9"
    }
    told = owner.get("/console/audit.csv").html + owner.get("/console/audit").html
    assert "credits.grant" in told
    assert "198.51.100.9" not in told
    assert "203.0.113.7" in told, "those of the account's own people are"


def test_another_account_s_changes_are_not_there(admin: AdminHarness, owner: Browser) -> None:
    admin.runner.run(accounts.suspend(admin.services, OPERATOR, "beta", "no reason"))
    for path in ("/console/audit", "/console/audit.csv", f"/console/audit?object={admin.accounts['beta']}"):
        told = owner.get(path).html
        assert "beta" not in told.replace("Only changes of", "").replace(admin.accounts["beta"], "")
        assert "no reason" not in told


@pytest.mark.parametrize("role", ["viewer", "developer"])
def test_role_without_the_audit_sees_none(admin: AdminHarness, role: str) -> None:
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha", role))
    for path in ("/console/audit", "/console/audit.csv"):
        assert browser.get(path).status == 403


def test_hostile_text_is_escaped(admin: AdminHarness, owner: Browser) -> None:
    owner.post("/console/keys", name=HOSTILE)
    owner.post(f"/console/keys/{admin.keys['alpha-live']}/freeze", reason=HOSTILE)
    for path in ("/console/audit", "/console/audit?object=%22%3E%3Cscript%3E"):
        assert Outline(owner.get(path).html).inline_scripts == 0
    assert owner.get(f"/console/audit?object={'x' * 300}").status == 400
    assert owner.get("/console/audit?after=x").status == 400


def test_every_action_of_an_account_has_its_sentence() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in SERVICES.glob("*.py"))
    written = set(
        re.findall(r'(?:audit\.entry\([^"]*|_change\([^"]*|_turn\([^"]*|_give\([^"]*)"([a-z]+\.[a-z_]+)"', text)
    )
    assert len(written) > 20
    assert written - OF_NO_ACCOUNT - set(audit_words.SENTENCES) == set()

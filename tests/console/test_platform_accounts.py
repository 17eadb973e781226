"""The accounts of the platform, for those who run it: their figures, what can be done to one, looking at its pages."""

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import HOSTILE, Browser, of_platform
from tests.console.test_pages import OF_ACCOUNTS, require_sound
from tollhouse.services import audit

ACCOUNTS = "/console/platform/accounts"


@pytest.fixture
def operator(admin: AdminHarness) -> Browser:
    browser = Browser(admin)
    browser.sign_in(of_platform(admin))
    browser.get(ACCOUNTS)
    return browser


def page_of(admin: AdminHarness, name: str = "alpha") -> str:
    return f"{ACCOUNTS}/{admin.accounts[name]}"


def test_list_shows_spend_errors_and_when_it_was_seen(admin: AdminHarness, operator: Browser) -> None:
    admin.call("alpha-live")
    admin.call("alpha-live", 2, status=500, error="server_error", charge=None)
    html = operator.get(ACCOUNTS).html
    require_sound(html)
    assert "50.0 %" in html
    assert "not known" in html
    assert "Margin at least" in html


def test_viewer_and_support_see_no_margin(admin: AdminHarness) -> None:
    for role in ("viewer", "support"):
        browser = Browser(admin)
        browser.sign_in(of_platform(admin, role))
        assert "Margin" not in browser.get(ACCOUNTS).html
        html = browser.get(page_of(admin)).html
        assert "Margin" not in html
        assert "/grant" not in html
        assert "/suspend" not in html


def test_grant_is_given_and_a_wrong_amount_comes_back_with_what_was_typed(
    admin: AdminHarness, operator: Browser
) -> None:
    path = page_of(admin)
    operator.get(path)
    wrong = operator.post(f"{path}/grant", amount_usd="12,3.4.5x", reason="for a trial")
    assert wrong.status == 400
    require_sound(wrong.html)
    assert 'value="12,3.4.5x"' in wrong.html
    assert 'value="for a trial"' in wrong.html
    done = operator.post(f"{path}/grant", amount_usd="$1,250.50", reason="for a trial", expires="30d")
    assert (done.status, done.headers["location"]) == (303, f"{path}#grant")
    assert admin.services.counters.money(admin.accounts["alpha"]).limit == 1_250_500_000_000
    assert "for a trial" in operator.get(path).html


def test_adjustment_says_why(admin: AdminHarness, operator: Browser) -> None:
    path = page_of(admin)
    operator.get(path)
    assert operator.post(f"{path}/adjust", amount_usd="-1", reason="").status == 400
    assert operator.post(f"{path}/adjust", amount_usd="-1", reason="paid twice").status == 303
    assert admin.services.counters.money(admin.accounts["alpha"]).limit == -1_000_000_000


def test_terms_change_and_an_unknown_list_does_not(admin: AdminHarness, operator: Browser) -> None:
    path = page_of(admin)
    operator.get(path)
    assert operator.post(f"{path}/terms", price_list="nowhere").status == 400
    sent = operator.post(
        f"{path}/terms", credit_limit_usd="25", price_list="default", multiplier="1.2", groups="default beta"
    )
    assert sent.status == 303
    account = admin.services.directory.accounts[admin.accounts["alpha"]]
    assert (account.credit_limit, account.multiplier_ppm) == (25_000_000_000, 1_200_000)
    assert account.groups == ("default", "beta")


def test_limit_is_overridden_until_an_end_with_a_note(admin: AdminHarness, operator: Browser) -> None:
    path = page_of(admin)
    operator.get(path)
    form = {"kind": "requests_per_minute", "most": "1,000", "until": "7d", "note": "launch week"}
    assert operator.post(f"{path}/limits", **{**form, "most": "many"}).status == 400
    assert operator.post(f"{path}/limits", **form).status == 303
    (rule,) = admin.runner.run(admin.services.rows.read(lambda tables: tables.limits.list_all()))
    assert (rule.most, rule.note, rule.until_ms) == (1_000, "launch week", admin.clock.ms + 7 * 86_400_000)
    assert "launch week" in operator.get(path).html
    other = page_of(admin, "beta")
    assert operator.post(f"{other}/limits/remove", limit=rule.id).status == 404
    assert operator.post(f"{path}/limits/remove", limit=rule.id).status == 303
    assert not admin.runner.run(admin.services.rows.read(lambda tables: tables.limits.list_all()))


def test_ceiling_is_set_and_removed(admin: AdminHarness, operator: Browser, owner: Browser) -> None:
    path = page_of(admin)
    operator.get(path)
    assert operator.post(f"{path}/ceiling", amount_usd="100", window="month").status == 303
    (budget,) = admin.runner.run(admin.services.rows.read(lambda tables: tables.budgets.list_all()))
    assert (budget.system, budget.amount) == (True, 100_000_000_000)
    assert "set by the operator" in owner.get("/console/budgets").html
    assert operator.post(f"{page_of(admin, 'beta')}/ceiling/remove", budget=budget.id).status == 404
    assert operator.post(f"{path}/ceiling/remove", budget=budget.id).status == 303


def test_suspending_needs_a_reason_and_resuming_none(admin: AdminHarness, operator: Browser) -> None:
    path, account_id = page_of(admin), admin.accounts["alpha"]
    operator.get(path)
    assert operator.post(f"{path}/suspend", reason="").status == 400
    assert operator.post(f"{path}/suspend", reason=HOSTILE).status == 303
    assert admin.services.directory.accounts[account_id].state == "suspended"
    html = operator.get(path).html
    require_sound(html)
    assert HOSTILE not in html
    assert operator.post(f"{path}/resume").status == 303
    assert admin.services.directory.accounts[account_id].state == "active"


def test_looking_at_an_account_shows_its_pages_and_changes_nothing(admin: AdminHarness, operator: Browser) -> None:
    foreign = admin.call("beta-live", 2)
    admin.call("alpha-live")
    assert operator.get("/console/keys").headers["location"] == ACCOUNTS
    operator.get(page_of(admin))
    assert operator.post(f"{page_of(admin)}/act").headers["location"] == "/console/"
    for path in OF_ACCOUNTS:
        reply = operator.get(path)
        if path == "/console/keys/new":
            assert reply.status == 403
            continue
        assert reply.status == 200
        require_sound(reply.html)
        assert "Nothing can be changed here" in reply.html
        assert "beta-live" not in reply.html
        forms = [part.partition('"')[0] for part in reply.html.split('<form method="post" action="')[1:]]
        assert set(forms) == {"/console/sign-out", "/console/platform/look/end"}
    assert operator.get(f"/console/requests/{foreign.id}").status == 404
    key = admin.keys["alpha-live"]
    refused = operator.post(f"/console/keys/{key}/revoke")
    assert refused.status == 403
    assert admin.services.directory.keys[key].state == "active"
    assert "You look at the account" in operator.get(ACCOUNTS).html
    assert operator.post("/console/platform/look/end").headers["location"] == page_of(admin)
    assert operator.get("/console/keys").headers["location"] == ACCOUNTS
    told = admin.runner.run(audit.list_page(admin.services, OPERATOR, account=admin.accounts["alpha"]))
    acted = [row.action for row in told.records if row.action.startswith("account.act")]
    assert acted == ["account.act_as_end", "account.act_as"]


def test_looking_ends_with_the_session(admin: AdminHarness, operator: Browser) -> None:
    operator.get(page_of(admin))
    operator.post(f"{page_of(admin)}/act")
    operator.post("/console/sign-out")
    operator.sign_in("operator@platform.example")
    assert operator.get("/console/keys").headers["location"] == ACCOUNTS


def test_people_of_the_platform_change_no_account_from_its_own_pages(admin: AdminHarness, operator: Browser) -> None:
    key = admin.keys["alpha-live"]
    assert operator.post(f"/console/keys/{key}/freeze").status == 403
    assert admin.services.directory.keys[key].state == "active"


def test_hostile_names_are_escaped(admin: AdminHarness, operator: Browser) -> None:
    admin.operator("POST", "/api/v1/accounts", {"name": HOSTILE})
    require_sound(operator.get(ACCOUNTS).html)
    assert HOSTILE not in operator.get(ACCOUNTS).html


def test_unknown_account_is_not_found(admin: AdminHarness, operator: Browser) -> None:
    assert operator.get(f"{ACCOUNTS}/acc_nobody").status == 404


def test_members_of_an_account_are_listed(admin: AdminHarness, operator: Browser, owner: Browser) -> None:
    assert "owner@alpha.example" in operator.get(page_of(admin)).html
    assert "$argon2id" not in operator.get(page_of(admin)).html

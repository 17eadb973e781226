"""Money over the control API: codes, adjustments, credit limits, the ledger; and amounts that are none."""

from typing import Any

import pytest

from tests.admin.harness import START_MS, AdminHarness

NO_AMOUNTS = ("-7", "-0", "NaN", "Infinity", "1e400", "1e-12", "0.0000000001", "1,5", "٣", "9" * 40, "", " 1", "+1")
"""What people have typed for an amount elsewhere, and what it made of them."""


def test_a_code_is_made_shown_once_and_redeemed_once(admin_harness: AdminHarness) -> None:
    made = admin_harness.operator(
        "POST", "/api/v1/codes", {"amount_usd": "5", "count": 2, "expires": "30d", "note": "fair"}
    )
    assert made.status == 201
    one, other = made.body["data"]
    assert (one["object"], one["amount_usd"], one["note"], one["redeemed_by"]) == ("code", "5", "fair", None)
    assert one["expires_at"] == "2027-02-14T08:00:00Z"
    entry = admin_harness.bearer("alpha-admin", "POST", "/api/v1/codes/redeem", {"code": one["secret"].lower()})
    assert (entry.status, entry.body["kind"], entry.body["balance_usd"]) == (200, "top_up", "5")
    assert entry.body["account_id"] == admin_harness.accounts["alpha"]
    for who, given in (("alpha-admin", one["secret"]), ("beta-admin", one["secret"]), ("beta-admin", "none")):
        refused = admin_harness.bearer(who, "POST", "/api/v1/codes/redeem", {"code": given})
        assert (refused.status, refused.body["error"]["param"]) == (400, "code")
    by_operator = {"code": other["secret"], "account": "beta"}
    assert (
        admin_harness.operator("POST", "/api/v1/codes/redeem", by_operator).body["account_id"]
        == admin_harness.accounts["beta"]
    )
    listed = admin_harness.operator("GET", "/api/v1/codes").body["data"]
    assert {code["redeemed_by"] for code in listed} == set(admin_harness.accounts.values())
    told = str(listed) + str(admin_harness.operator("GET", "/api/v1/audit").body)
    for code in (one, other):
        assert code["id"] in told
        assert code["secret"] not in told


def test_redeeming_is_limited_and_says_when_to_come_again(admin_harness: AdminHarness) -> None:
    for _ in range(10):
        admin_harness.bearer("alpha-admin", "POST", "/api/v1/codes/redeem", {"code": "guess"})
    refused = admin_harness.bearer("alpha-admin", "POST", "/api/v1/codes/redeem", {"code": "guess"})
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "rate_limit_exceeded", "6")
    assert admin_harness.bearer("alpha-admin", "GET", "/api/v1/credits").status == 200


def test_an_api_key_redeems_nothing_and_an_account_only_for_itself(admin_harness: AdminHarness) -> None:
    assert admin_harness.bearer("alpha-live", "POST", "/api/v1/codes/redeem", {"code": "x"}).code == "scope_missing"
    foreign = {"code": "x", "account": admin_harness.accounts["beta"]}
    assert admin_harness.bearer("alpha-admin", "POST", "/api/v1/codes/redeem", foreign).status == 404


def test_an_adjustment_needs_a_reason_and_may_go_down(admin_harness: AdminHarness) -> None:
    given = {"account": "alpha", "amount_usd": "-2.5", "reason": "counted twice"}
    made = admin_harness.operator("POST", "/api/v1/adjustments", given)
    assert (made.status, made.body["amount_usd"], made.body["balance_usd"]) == (201, "-2.5", "-2.5")
    assert (made.body["kind"], made.body["reason"]) == ("adjustment", "counted twice")
    for reason in ({}, {"reason": " "}, {"reason": None}):
        refused = admin_harness.operator(
            "POST", "/api/v1/adjustments", {"account": "alpha", "amount_usd": "1", **reason}
        )
        assert (refused.status, refused.body["error"]["param"]) == (400, "reason")


def test_a_credit_limit_changes_and_binds_at_once(admin_harness: AdminHarness) -> None:
    account_id = admin_harness.accounts["alpha"]
    counter = admin_harness.services.counters.money(account_id)
    for limit, left in (("3", 3 * 10**9), ("unlimited", None), ("0", 0)):
        changed = admin_harness.operator("POST", f"/api/v1/accounts/{account_id}", {"credit_limit_usd": limit})
        assert (changed.status, changed.body["credit_limit_usd"]) == (200, limit)
        assert counter.left() == left
    assert admin_harness.operator("POST", f"/api/v1/accounts/{account_id}", {}).status == 400
    assert admin_harness.bearer("alpha-admin", "POST", f"/api/v1/accounts/{account_id}", {}).code == "scope_missing"


@pytest.mark.parametrize("usd", NO_AMOUNTS)
def test_what_is_no_amount_is_refused_by_the_fields_name_wherever_it_stands(
    admin_harness: AdminHarness, usd: str
) -> None:
    account = admin_harness.accounts["alpha"]
    places: list[tuple[str, dict[str, Any], str]] = [
        ("/api/v1/credits", {"account": "alpha", "amount_usd": usd}, "amount_usd"),
        ("/api/v1/budgets", {"account": "alpha", "window": "day", "amount_usd": usd}, "amount_usd"),
        ("/api/v1/codes", {"amount_usd": usd}, "amount_usd"),
        ("/api/v1/refunds", {"request_id": "req_x", "amount_usd": usd}, "amount_usd"),
        ("/api/v1/accounts", {"name": "new", "credit_limit_usd": usd}, "credit_limit_usd"),
        (f"/api/v1/accounts/{account}", {"credit_limit_usd": usd}, "credit_limit_usd"),
    ]
    if usd != "-7":  # an adjustment may go down
        places.append(("/api/v1/adjustments", {"account": "alpha", "amount_usd": usd, "reason": "x"}, "amount_usd"))
    for path, given, field in places:
        refused = admin_harness.operator("POST", path, given)
        assert (refused.status, refused.body["error"]["param"]) == (400, field), path
        assert refused.message.startswith(f"{field}: ")
    assert admin_harness.operator("GET", "/api/v1/credits?account=alpha").body["data"] == []


@pytest.mark.parametrize("value", [5, 0.5, True, ["1"], {"usd": "1"}])
def test_an_amount_is_text_so_that_nothing_is_rounded_on_the_way(admin_harness: AdminHarness, value: object) -> None:
    refused = admin_harness.operator("POST", "/api/v1/credits", {"account": "alpha", "amount_usd": value})
    assert (refused.status, refused.body["error"]["param"]) == (400, "amount_usd")


def test_a_budget_of_0_is_taken_and_a_grant_of_0_is_not(admin_harness: AdminHarness) -> None:
    budget = {"account": "alpha", "window": "day", "amount_usd": "0"}
    assert admin_harness.operator("POST", "/api/v1/budgets", budget).body["amount_usd"] == "0"
    assert admin_harness.operator("POST", "/api/v1/credits", {"account": "alpha", "amount_usd": "0"}).status == 400


def test_the_operators_budget_is_beyond_the_owners_reach(admin_harness: AdminHarness) -> None:
    ceiling = {"account": "alpha", "window": "month", "amount_usd": "100"}
    made = admin_harness.operator("POST", "/api/v1/budgets", {**ceiling, "system": True}).body
    assert made["managed_by_operator"] is True
    raised = admin_harness.bearer(
        "alpha-admin", "POST", "/api/v1/budgets", {**ceiling, "amount_usd": "900", "system": True}
    )
    assert (raised.status, raised.code) == (403, "scope_missing")
    removed = admin_harness.bearer("alpha-admin", "POST", f"/api/v1/budgets/{made['id']}/remove", {})
    assert (removed.status, removed.code) == (403, "scope_missing")
    above = admin_harness.bearer("alpha-admin", "POST", "/api/v1/budgets", {**ceiling, "amount_usd": "900"})
    assert (above.status, above.body["error"]["param"]) == (400, "amount_usd")
    assert "above the 100 USD a month" in above.body["error"]["message"]
    own = admin_harness.bearer("alpha-admin", "POST", "/api/v1/budgets", {**ceiling, "amount_usd": "90"})
    assert (own.status, own.body["managed_by_operator"]) == (201, False)
    higher = admin_harness.operator("POST", "/api/v1/budgets", {**ceiling, "amount_usd": "900"})
    assert (higher.status, higher.body["amount_usd"]) == (201, "900"), "the operator's own word binds nobody but owners"
    standing = {
        one["id"]: one["amount_usd"]
        for one in admin_harness.bearer("alpha-admin", "GET", "/api/v1/budgets").body["data"]
    }
    assert standing == {made["id"]: "100", own.body["id"]: "900"}
    key = admin_harness.services.directory.keys[admin_harness.keys["alpha-live"]]
    assert sorted(counter.limit or 0 for counter in admin_harness.services.counters.of(key, START_MS)) == [
        0,
        100 * 10**9,
        900 * 10**9,
    ]


def test_a_list_of_budgets_says_what_is_used_and_left_of_each(admin_harness: AdminHarness) -> None:
    budget = {"key": admin_harness.keys["alpha-live"], "window": "day", "amount_usd": "5"}
    made = admin_harness.bearer("alpha-admin", "POST", "/api/v1/budgets", budget).body
    key = admin_harness.services.directory.keys[admin_harness.keys["alpha-live"]]
    counter = admin_harness.services.counters.of(key, START_MS)[0]
    counter.spent, counter.held = 2 * 10**9, 10**9
    (shown,) = admin_harness.bearer("alpha-admin", "GET", "/api/v1/budgets").body["data"]
    figures = ("used_usd", "held_usd", "remaining_usd", "resets_at")
    assert [made[name] for name in figures] == ["0", "0", "5", "2027-01-16T00:00:00Z"]
    assert [shown[name] for name in figures] == ["2", "1", "2", "2027-01-16T00:00:00Z"]
    gone = admin_harness.bearer("alpha-admin", "POST", f"/api/v1/budgets/{made['id']}/remove", {}).body
    assert {gone[name] for name in figures} == {None}


def test_the_ledger_is_checked_and_read_as_a_bill(admin_harness: AdminHarness) -> None:
    admin_harness.operator("POST", "/api/v1/credits", {"account": "alpha", "amount_usd": "7", "reason": "a start"})
    found = admin_harness.operator("GET", "/api/v1/ledger/verify").body
    assert found == {"object": "ledger_verification", "ok": True, "accounts": 1, "entries": 1, "flaws": []}
    bill = admin_harness.bearer("alpha-admin", "GET", "/api/v1/ledger/statement").body
    assert (bill["from"], bill["to"]) == ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z")
    assert (bill["opening_usd"], bill["closing_usd"], bill["sequence"]) == ("0", "7", 1)
    (line,) = bill["lines"]
    assert (line["kind"], line["amount_usd"], line["reason"]) == ("grant", "7", "a start")
    later = admin_harness.bearer("alpha-admin", "GET", "/api/v1/ledger/statement?month=2027-02").body
    assert (later["opening_usd"], later["lines"], later["hash"]) == ("7", [], bill["hash"])
    assert admin_harness.bearer("alpha-admin", "GET", "/api/v1/ledger/verify").code == "scope_missing"
    assert admin_harness.bearer("alpha-admin", "GET", "/api/v1/ledger/statement?account=beta").status == 404
    assert (
        admin_harness.operator("GET", "/api/v1/ledger/statement?account=alpha&month=May").body["error"]["param"]
        == "month"
    )


def test_flaws_are_told_one_by_one(admin_harness: AdminHarness) -> None:
    admin_harness.operator("POST", "/api/v1/credits", {"account": "alpha", "amount_usd": "7"})
    tamper = "UPDATE account_money SET put_in = put_in + 1"
    admin_harness.runner.run(
        admin_harness.store.writer.change(lambda connection: connection.exec_driver_sql(tamper).rowcount)
    )
    found = admin_harness.operator("GET", "/api/v1/ledger/verify")
    assert (found.status, found.body["ok"]) == (200, False)
    (flaw,) = found.body["flaws"]
    assert (flaw["account_id"], flaw["sequence"]) == (admin_harness.accounts["alpha"], 1)
    assert "put_in is kept as 7000000001" in flaw["reason"]


def test_grants_that_are_over_end_when_asked_for(admin_harness: AdminHarness) -> None:
    admin_harness.operator("POST", "/api/v1/credits", {"account": "alpha", "amount_usd": "7", "expires": "1h"})
    assert admin_harness.operator("POST", "/api/v1/credits/expire", {}).body["data"] == []
    admin_harness.clock.ms += 3_600_000
    (entry,) = admin_harness.operator("POST", "/api/v1/credits/expire", {}).body["data"]
    assert (entry["kind"], entry["amount_usd"], entry["balance_usd"]) == ("expiry", "-7", "0")
    assert admin_harness.operator("POST", "/api/v1/credits/expire", {}).body["data"] == []
    assert admin_harness.bearer("alpha-admin", "POST", "/api/v1/credits/expire", {}).code == "scope_missing"

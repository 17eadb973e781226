"""Receipts, lists of calls and reports over HTTP: their shape, and who sees what."""

import csv
import io
from typing import Any

import pytest

from tests.admin.harness import START_MS, AdminHarness
from tollhouse.core.charge import Charge
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import BudgetSnapshot, LimitSnapshot

CHARGE = Charge(amount=270_000, price_id="price_gone", held=500_000)
CHARGED: dict[str, Any] = {"usage": Usage(input=60, output=12, requests=1), "charge": CHARGE}


def ids(page: Any) -> list[str]:
    return [one["id"] for one in page["data"]]


def test_a_receipt_has_the_shape_of_the_contract(admin_harness: AdminHarness) -> None:
    call = admin_harness.call("alpha-live", **CHARGED, settled_ms=9)
    receipt = admin_harness.bearer("alpha-live", "GET", f"/api/v1/requests/{call.id}").body
    assert set(receipt) == {
        *("object", "id", "time", "mode", "account_id", "project_id", "key", "model", "dialect", "operation", "stream"),
        *("status", "ending", "ending_explained", "client", "tags", "usage", "usage_source", "raw_usage"),
        *("charge_nusd", "charge_usd", "lines", "held_nusd", "released_nusd", "overrun_nusd", "output_cap"),
        *("attempts", "timing_ms", "limits", "budgets", "ledger_entry"),
    }
    assert receipt["object"] == "request"
    assert receipt["key"] == {"id": call.key_id, "last4": admin_harness.secrets["alpha-live"][-4:]}
    assert (receipt["charge_nusd"], receipt["charge_usd"]) == (270_000, "0.00027")
    assert [receipt[f"{name}_nusd"] for name in ("held", "released", "overrun")] == [500_000, 230_000, 0]
    assert receipt["usage"] == {"input": 60, "output": 12, "requests": 1}
    assert receipt["raw_usage"] == {"prompt_tokens": 3}
    assert receipt["timing_ms"] == {"admitted": 6, "first_byte": 7, "last_byte": 8, "settled": 9}
    assert receipt["ledger_entry"]["id"] == f"txn_{call.id[4:]}"
    assert len(receipt["ledger_entry"]["hash"]) == 64


def test_a_receipt_names_limits_and_counters_by_what_they_stand_on(admin_harness: AdminHarness) -> None:
    limits = (
        LimitSnapshot("requests_per_minute", "key", 10, 2, 3, ""),
        LimitSnapshot("tokens_per_minute", "model", 9, 1, 8, "g*"),
    )
    day = BudgetSnapshot("key", "day", "bud_1", 10**9, 5, 6, 7, "gpt-*")
    account = BudgetSnapshot("account", "money", "", None, 10**9, 0, 10**9 + 1, "")
    call = admin_harness.call("alpha-live", limits=limits, counters=(day, account))
    receipt = admin_harness.bearer("alpha-live", "GET", f"/api/v1/requests/{call.id}").body
    assert receipt["limits"] == [
        {"name": "requests_per_minute", "level": "key", "id": call.key_id, "limit": 10, "before": 2, "after": 3},
        {"name": "tokens_per_minute", "level": "model", "id": "gpt-4o", "limit": 9, "before": 1, "after": 8}
        | {"model": "g*"},
    ]
    budget, money = receipt["budgets"]
    assert budget == {
        "kind": "budget",
        "id": "bud_1",
        "level": "key",
        "of_id": call.key_id,
        "window": "day",
        "model": "gpt-*",
        "limit_usd": "1",
        "used_before_usd": "0.000000005",
        "held_before_usd": "0.000000006",
        "used_after_usd": "0.000000007",
    }
    assert (money["kind"], money["id"], money["window"]) == ("money", call.account_id, "total")
    assert (money["limit_usd"], money["used_before_usd"], money["used_after_usd"]) == (None, "1", "1.000000001")


def test_test_mode_is_told_and_costs_nothing(admin_harness: AdminHarness) -> None:
    call = admin_harness.call("alpha-test", **CHARGED)
    receipt = admin_harness.bearer("alpha-admin", "GET", f"/api/v1/requests/{call.id}").body
    assert (receipt["mode"], receipt["charge_nusd"], receipt["charge_usd"]) == ("test", 0, "0")
    assert receipt["ledger_entry"] is None


def test_only_the_operator_reads_which_provider_answered(admin_harness: AdminHarness) -> None:
    call = admin_harness.call("alpha-live")
    own = admin_harness.bearer("alpha-live", "GET", f"/api/v1/requests/{call.id}").body["attempts"]
    assert [("provider" in one, one["model"]) for one in own] == [(False, "gpt-4o"), (False, "gpt-4o")]
    all_of_it = admin_harness.operator("GET", f"/api/v1/requests/{call.id}").body["attempts"]
    assert [(one["provider"], one["model"], one.get("error")) for one in all_of_it] == [
        ("first", "a", "upstream_error"),
        ("main", "b", None),
    ]


def test_an_api_key_sees_its_own_calls_and_an_admin_key_its_accounts(admin_harness: AdminHarness) -> None:
    live, test, foreign = (
        admin_harness.call(key, number) for number, key in enumerate(("alpha-live", "alpha-test", "beta-live"), start=1)
    )
    for path in ("/api/v1/requests", "/api/v1/requests/tail"):
        assert ids(admin_harness.bearer("alpha-live", "GET", path).body) == [live.id]
        assert sorted(ids(admin_harness.bearer("alpha-admin", "GET", path).body)) == sorted([live.id, test.id])
        assert sorted(ids(admin_harness.operator("GET", path).body)) == sorted([live.id, test.id, foreign.id])
    for key, other in (("alpha-live", test), ("alpha-live", foreign), ("alpha-admin", foreign)):
        refused = admin_harness.bearer(key, "GET", f"/api/v1/requests/{other.id}")
        never = admin_harness.bearer(key, "GET", f"/api/v1/requests/{other.id[:-1]}7")
        assert refused.status == never.status == 404
        assert refused.message.replace(other.id, "ID") == never.message.replace(f"{other.id[:-1]}7", "ID")


def test_lists_take_filters_and_cursors(admin_harness: AdminHarness) -> None:
    calls = [admin_harness.call("alpha-live", number, status=200 if number % 2 else 429) for number in range(1, 6)]
    newest = [call.id for call in calls[::-1]]
    first = admin_harness.operator("GET", "/api/v1/requests?limit=2").body
    rest = admin_harness.operator("GET", f"/api/v1/requests?limit=9&after={first['next']}").body
    assert (ids(first), ids(rest), rest["next"]) == (newest[:2], newest[2:], None)
    assert ids(admin_harness.operator("GET", "/api/v1/requests?status=429&account=alpha").body) == newest[1::2]
    assert ids(admin_harness.operator("GET", "/api/v1/requests?model=gpt-5").body) == []
    admin_harness.clock.ms = START_MS + 3_600_003
    assert ids(admin_harness.operator("GET", "/api/v1/requests?since=1h").body) == newest[:3]
    for query, param in (
        ("status=good", "status"),
        ("since=soon", "since"),
        ("after=x", "after"),
        ("limit=0", "limit"),
    ):
        refused = admin_harness.operator("GET", f"/api/v1/requests?{query}")
        assert (refused.status, refused.body["error"]["param"]) == (400, param)


def test_calls_are_followed_as_they_end(admin_harness: AdminHarness) -> None:
    first = admin_harness.call("alpha-live", 1)
    page = admin_harness.operator("GET", "/api/v1/requests/tail").body
    assert ids(page) == [first.id]
    later = admin_harness.call("alpha-test", 2)
    page = admin_harness.operator("GET", f"/api/v1/requests/tail?after={page['next']}").body
    assert ids(page) == [later.id]
    assert ids(admin_harness.operator("GET", f"/api/v1/requests/tail?after={page['next']}").body) == []


@pytest.mark.parametrize("how", ["format=csv", "accept"])
def test_usage_is_written_as_a_table_for_spreadsheets(admin_harness: AdminHarness, how: str) -> None:
    admin_harness.call("alpha-live", 1, **CHARGED, tags={"=cmd": 'a,"b"'})
    admin_harness.call("alpha-live", 2, **CHARGED, model="gpt-5", dialect="gemini", operation="rerank")
    headers = [(b"authorization", f"Bearer {admin_harness.secrets['alpha-admin']}".encode())]
    query = "&format=csv" if how == "format=csv" else ""
    accept = [] if query else [(b"accept", b"text/csv")]

    def rows(by: str) -> list[dict[str, str]]:
        reply = admin_harness.ask("GET", f"/api/v1/usage?by={by}{query}", headers=[*headers, *accept])
        return list(csv.DictReader(io.StringIO(reply.body)))

    assert [(row["model"], row["calls"], row["charge_usd"], row["output"]) for row in rows("model")] == [
        ("gpt-4o", "1", "0.00027", "12"),
        ("gpt-5", "1", "0.00027", "12"),
    ]
    assert [(row["dialect"], row["calls"]) for row in rows("dialect")] == [("gemini", "1"), ("openai", "1")]
    assert [row["operation"] for row in rows("operation&dialect=gemini")] == ["rerank"]
    assert [row["tag"] for row in rows("tag")] == ['\'=cmd=a,"b"', "team=Zoll"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("requests?dialect=klingon", "dialect: there are anthropic, gemini, openai"),
        ("requests?dialect=antropic", "dialect: there are anthropic, gemini, openai; did you mean anthropic?"),
        ("requests?operation=embeding", "did you mean embeddings?"),
        ("requests?error=rate_limit", "error: there is no 'rate_limit'; did you mean rate_limit_exceeded?"),
        ("requests?error=xyzzy", "error: there is no 'xyzzy'"),
        ("requests?mode=tset", "did you mean test?"),
        ("usage?by=operaton", "did you mean operation?"),
        ("usage?dialect=klingon", "dialect: there are anthropic, gemini, openai, unknown"),
        ("usage/series?operation=speach", "did you mean speech?"),
    ],
)
def test_an_unknown_word_of_a_closed_list_is_told_with_the_list(
    admin_harness: AdminHarness, query: str, said: str
) -> None:
    reply = admin_harness.operator("GET", f"/api/v1/{query}")
    assert reply.status == 400
    assert said in reply.body["error"]["message"]


def test_reports_say_what_was_charged_also_for_one_project(admin_harness: AdminHarness) -> None:
    admin_harness.call("alpha-live", 1, **CHARGED)
    admin_harness.call("alpha-test", 2, **CHARGED)
    (row,) = admin_harness.bearer("alpha-admin", "GET", "/api/v1/usage").body["data"]
    assert (row["calls"], row["charge_nusd"], row["charge_usd"]) == (2, 270_000, "0.00027")
    made = admin_harness.bearer("alpha-admin", "POST", "/api/v1/projects", {"name": "empty"}).body
    for project, calls in (("default", 2), (made["id"], 0)):
        data = admin_harness.bearer("alpha-admin", "GET", f"/api/v1/usage?project={project}").body["data"]
        assert sum(one["calls"] for one in data) == calls
    assert admin_harness.bearer("alpha-admin", "GET", "/api/v1/usage?by=tag&project=default").status == 400


class TestExplain:
    def test_it_says_what_is_missing(self, admin_harness: AdminHarness) -> None:
        for key, body, param in (
            ("alpha-admin", {}, "body"),
            ("alpha-admin", {"body": {"model": "m"}}, "key"),
            ("alpha-live", {"body": {}, "path": "/v1/models"}, "path"),
            ("alpha-live", {"body": {}, "headers": {"x-tag": "税"}}, "headers"),
            ("alpha-live", {"body": {}, "headers": 5}, "headers"),
        ):
            refused = admin_harness.bearer(key, "POST", "/api/v1/explain", body)
            assert (refused.status, refused.body["error"]["param"]) == (400, param)

    def test_of_somebody_elses_key_or_call_nothing_is_told(self, admin_harness: AdminHarness) -> None:
        foreign = admin_harness.call("beta-live")
        for key, body in (
            ("alpha-live", {"body": {}, "key": admin_harness.keys["alpha-test"]}),
            ("alpha-live", {"body": {}, "key": admin_harness.keys["beta-live"]}),
            ("alpha-admin", {"body": {}, "key": admin_harness.keys["beta-live"]}),
            ("alpha-admin", {"request": foreign.id}),
            ("alpha-live", {"request": foreign.id}),
        ):
            assert admin_harness.bearer(key, "POST", "/api/v1/explain", body).status == 404

    def test_without_a_server_it_says_so(self, admin_harness: AdminHarness) -> None:
        refused = admin_harness.bearer("alpha-live", "POST", "/api/v1/explain", {"body": {}})
        assert (refused.status, refused.code) == (503, "overloaded")
        assert "tollhouse serve" in refused.message

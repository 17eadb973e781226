"""`/v1/dashboard/billing/*`, the balance in `/v1/key`, and new-api's two pages, as clients ask for them over HTTP."""

import datetime
import itertools
import json
from decimal import Decimal
from typing import Any

import pytest

from tests.security.key_locations import PLACES
from tests.security.platform_process import DemoPlatform, DemoReply

CHAT = "/v1/chat/completions"
HELLO = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}
SPELLINGS = ("/v1/dashboard/billing", "/dashboard/billing", "/v1/v1/dashboard/billing", "//dashboard/billing")
PAGES = ("subscription", "usage", "credit_grants")


def founded(platform: DemoPlatform, name: str, credit: str = "0", **key: object) -> str:
    """An account with so much credit, and the secret of its key."""
    platform.operator("accounts.create", name=name, credit_limit_usd=credit)
    return platform.key(f"{name}-key", account=name, **key)


def ask(platform: DemoPlatform, key: str, page: str, query: str = "") -> Any:
    reply = platform.get(f"/v1/dashboard/billing/{page}{query}", key)
    assert reply.status == 200, reply.body
    assert reply.headers["cache-control"] == "no-store"
    return json.loads(reply.body, parse_float=Decimal)


def balance(platform: DemoPlatform, key: str) -> Decimal:
    """As the tools compute it."""
    hard, cents = ask(platform, key, "subscription")["hard_limit_usd"], ask(platform, key, "usage")["total_usage"]
    assert isinstance(hard, Decimal)
    assert isinstance(cents, Decimal)
    return hard - cents / 100


def agree(one: Decimal, other: Decimal) -> bool:
    """To the micro-dollar, to which each figure is rounded."""
    return abs(one - other) <= Decimal("0.000001")


def charged(reply: DemoReply) -> None:
    assert reply.status == 200, reply.body


def test_the_subscription_has_every_field_of_the_original_and_none_is_missing_or_null(platform: DemoPlatform) -> None:
    key = founded(platform, "shape", credit="25")
    charged(platform.post(CHAT, key, HELLO))
    told = ask(platform, key, "subscription")
    assert list(told) == [
        *("object", "has_payment_method", "canceled", "canceled_at", "delinquent", "access_until"),
        *("soft_limit_usd", "hard_limit_usd", "system_hard_limit_usd", "plan", "account_name", "tollhouse"),
    ]
    assert (told["object"], told["has_payment_method"], told["canceled"]) == ("billing_subscription", True, False)
    assert (told["canceled_at"], told["delinquent"], told["access_until"]) == (None, None, 0)
    assert told["soft_limit_usd"] == told["hard_limit_usd"] == 25
    assert told["system_hard_limit_usd"] == 100_000_000
    assert (told["plan"], told["account_name"]) == ({"title": "default", "id": "default"}, "shape")
    inner = told["tollhouse"]
    assert list(inner) == ["scope", "limit_usd", "used_usd", "held_usd", "remaining_usd", "window", "resets_at"]
    assert (inner["scope"], inner["limit_usd"], inner["held_usd"], inner["window"]) == ("account", 25, 0, "total")
    assert inner["used_usd"] > 0
    assert inner["remaining_usd"] == 25 - inner["used_usd"]
    assert agree(inner["remaining_usd"], balance(platform, key))


def test_the_usage_lists_what_each_model_cost_on_each_day(platform: DemoPlatform) -> None:
    key = founded(platform, "used", credit="25")
    empty = ask(platform, key, "usage")
    assert empty == {"object": "list", "total_usage": 0, "daily_costs": []}
    for model in ("gpt-4o", "gpt-4.1", "gpt-4o"):
        charged(platform.post(CHAT, key, {**HELLO, "model": model}))
    told = ask(platform, key, "usage")
    items = [item for day in told["daily_costs"] for item in day["line_items"]]
    assert {item["name"] for item in items} == {"gpt-4o", "gpt-4.1"}
    assert sum(item["cost"] for item in items) == told["total_usage"] > 0
    assert all(day["timestamp"] % 86_400 == 0 for day in told["daily_costs"])
    for query in ("?start_date=2020-01-01&end_date=2030-01-01", "?start_date=2026-1-1&_t=17&start_date=2021-1-1"):
        assert ask(platform, key, "usage", query)["total_usage"] == told["total_usage"]
    assert ask(platform, key, "usage", "?start_date=2020-01-01&end_date=2020-02-01")["total_usage"] == 0


def test_the_whole_is_the_sum_of_its_slices_of_a_hundred_days(platform: DemoPlatform) -> None:
    """To the micro-dollar, as clients reckon it; the original refused more than a hundred days at once."""
    key = founded(platform, "sliced", credit="25")
    for model in ("gpt-4o", "gpt-4.1", "gpt-4o-mini", "gpt-4o"):
        charged(platform.post(CHAT, key, {**HELLO, "model": model}))
    whole = ask(platform, key, "usage", "?start_date=2020-01-01&end_date=2030-01-01")
    edges = [datetime.date(2020, 1, 1) + datetime.timedelta(days=100 * place) for place in range(37)]
    edges.append(datetime.date(2030, 1, 1))
    assert (edges[1] - edges[0], edges[-1] > edges[-2]) == (datetime.timedelta(days=100), True)
    slices = [
        ask(platform, key, "usage", f"?start_date={start}&end_date={end}") for start, end in itertools.pairwise(edges)
    ]
    total = sum((part["total_usage"] for part in slices), Decimal())
    assert whole["total_usage"] > 0
    assert agree(total / 100, whole["total_usage"] / 100)
    assert [day for part in slices for day in part["daily_costs"]] == whole["daily_costs"]


@pytest.mark.parametrize("query", ["?start_date=yesterday", "?end_date=2026-02-30", "?start_date=%FF"])
def test_a_date_that_is_none_is_a_400_that_names_it(platform: DemoPlatform, query: str) -> None:
    reply = platform.get(f"/v1/dashboard/billing/usage{query}", platform.facts["api_key"])
    assert reply.verdict == (400, "invalid_request_error")
    assert reply.error["param"] == query[1:].partition("=")[0]


def test_every_spelling_of_the_path_and_every_place_of_the_key_means_the_same(platform: DemoPlatform) -> None:
    key = founded(platform, "spelled", credit="5")
    for page in PAGES:
        told = ask(platform, key, page)
        for start in SPELLINGS:
            for end in ("", "/", "?x=1"):
                assert json.loads(platform.get(f"{start}/{page}{end}", key).body, parse_float=Decimal) == told
        for place in PLACES:
            if place.name != "?key=":
                reply = platform.ask("GET", f"/dashboard/billing/{page}", place.headers(key))
                assert json.loads(reply.body, parse_float=Decimal) == told
        head = platform.ask("HEAD", f"/dashboard/billing/{page}", PLACES[0].headers(key))
        assert (head.status, head.body) == (200, b"")


def test_they_answer_when_the_money_is_gone(platform: DemoPlatform) -> None:
    key = founded(platform, "poor")
    assert platform.post(CHAT, key, HELLO).verdict == (429, "insufficient_quota")
    assert [platform.get(f"/dashboard/billing/{page}", key).status for page in PAGES] == [200, 200, 200]
    assert balance(platform, key) == 0
    assert platform.get("/v1/key", key).json["balance"]["available_usd"] == "0"


def test_they_answer_when_a_budget_or_a_limit_is_used_up(platform: DemoPlatform) -> None:
    key = founded(platform, "limited", credit="5")
    platform.operator("budgets.set", key="limited-key", amount_usd="0", window="day")
    assert platform.post(CHAT, key, HELLO).verdict == (429, "insufficient_quota")
    told = ask(platform, key, "subscription")
    assert (told["hard_limit_usd"], told["tollhouse"]["scope"], told["tollhouse"]["window"]) == (0, "key", "day")
    assert told["tollhouse"]["resets_at"] > 0
    (budget,) = platform.get("/v1/key", key).json["budgets"]
    assert (budget["level"], budget["window"], budget["limit_usd"], budget["remaining_usd"]) == ("key", "day", "0", "0")
    other = founded(platform, "slow", credit="5")
    platform.operator("limits.set", key="slow-key", requests_per_minute=1)
    charged(platform.post(CHAT, other, HELLO))
    assert platform.post(CHAT, other, HELLO).verdict == (429, "rate_limit_exceeded")
    for path in ("/v1/key", "/api/usage/token/", *(f"/dashboard/billing/{page}" for page in PAGES)):
        assert [platform.get(path, other).status for _ in range(5)] == [200] * 5


def test_a_frozen_key_and_a_suspended_account_are_canceled_and_no_401(platform: DemoPlatform) -> None:
    key = founded(platform, "stopped", credit="5")
    platform.operator("keys.freeze", "stopped-key")
    for turn in ("frozen", "suspended"):
        told = ask(platform, key, "subscription")
        assert told["canceled"] is True, turn
        assert told["canceled_at"] > 1_700_000_000
        assert ask(platform, key, "usage")["total_usage"] == 0
        assert ask(platform, key, "credit_grants")["total_available"] == 5
        assert platform.get("/api/usage/token/", key).status == 200
        platform.operator("keys.unfreeze", "stopped-key")
        platform.operator("accounts.suspend", "stopped")
    platform.operator("accounts.resume", "stopped")
    assert ask(platform, key, "subscription")["canceled"] is False


def test_who_may_not_read_is_told_why(platform: DemoPlatform) -> None:
    frozen = founded(platform, "doors", scopes=["inference"])
    assert platform.get("/dashboard/billing/usage", frozen).verdict == (403, "scope_missing")
    elsewhere = platform.key("doors-elsewhere", account="doors", networks=["10.99.0.0/16"])
    assert platform.get("/dashboard/billing/usage", elsewhere).verdict == (403, "ip_not_allowed")
    admin = platform.key("doors-admin", account="doors", mode="admin")
    assert platform.get("/dashboard/billing/usage", admin).verdict == (403, "scope_missing")
    revoked = platform.key("doors-revoked", account="doors")
    platform.operator("keys.revoke", "doors-revoked")
    for key in (revoked, "sk-nobody", ""):
        for path in ("/dashboard/billing/usage", "/api/usage/token/"):
            assert platform.get(path, key).verdict == (401, "invalid_api_key")


def test_what_binds_is_what_has_least_left(platform: DemoPlatform) -> None:
    key = founded(platform, "bound", credit="50")
    platform.operator("budgets.set", account="bound", amount_usd="20", window="month", soft=[90, 50])
    platform.operator("budgets.set", key="bound-key", amount_usd="30", window="week")
    platform.operator("budgets.set", key="bound-key", amount_usd="1", window="total", model="gpt-9*")
    charged(platform.post(CHAT, key, HELLO))
    told = ask(platform, key, "subscription")
    assert (told["hard_limit_usd"], told["soft_limit_usd"], told["tollhouse"]["scope"]) == (20, 10, "account")
    assert agree(told["tollhouse"]["remaining_usd"], balance(platform, key))
    platform.operator("budgets.set", key="bound-key", amount_usd="3", window="week")
    told = ask(platform, key, "subscription")
    assert (told["tollhouse"]["scope"], told["tollhouse"]["limit_usd"]) == ("key", 3)
    assert agree(told["tollhouse"]["remaining_usd"], balance(platform, key))
    assert balance(platform, key) < 3
    assert len(platform.get("/v1/key", key).json["budgets"]) == 3


def test_the_key_tells_its_balance_in_exact_dollars(platform: DemoPlatform) -> None:
    key = founded(platform, "exact", credit="2.5")
    platform.operator("credits.grant", account="exact", amount_usd="10.000000001")
    charged(platform.post(CHAT, key, HELLO))
    told = platform.get("/v1/key", key).json["balance"]
    used = Decimal("10.000000001") - Decimal(told["balance_usd"])
    assert used > 0
    assert (told["credit_limit_usd"], told["held_usd"]) == ("2.5", "0")
    assert Decimal(told["available_usd"]) == Decimal(told["balance_usd"]) + Decimal("2.5")
    endless = founded(platform, "endless", credit="unlimited")
    charged(platform.post(CHAT, endless, HELLO))
    told = platform.get("/v1/key", endless).json["balance"]
    assert Decimal(told["balance_usd"]) == -used
    assert (told["credit_limit_usd"], told["available_usd"]) == ("unlimited", "unlimited")
    assert agree(balance(platform, endless), 100_000_000 - used)


def test_credit_grants_are_listed_with_what_is_left(platform: DemoPlatform) -> None:
    key = founded(platform, "granted")
    platform.operator("credits.grant", account="granted", amount_usd="10", reason="welcome")
    charged(platform.post(CHAT, key, HELLO))
    told = ask(platform, key, "credit_grants")
    assert (told["object"], told["total_granted"], told["grants"]["object"]) == ("credit_summary", 10, "list")
    assert told["total_granted"] == told["total_used"] + told["total_available"]
    (grant,) = told["grants"]["data"]
    assert (grant["object"], grant["grant_amount"], grant["expires_at"]) == ("credit_grant", 10, 0)
    assert grant["used_amount"] == told["total_used"] > 0
    assert grant["effective_at"] > 1_700_000_000


def test_new_api_clients_read_quota(platform: DemoPlatform) -> None:
    key = founded(platform, "quota", credit="4", models=["gpt-4o"], expires="30d")
    charged(platform.post(CHAT, key, HELLO))
    for path in ("/api/usage/token/", "/api/usage/token"):
        told = platform.get(path, key).json
        assert (told["code"], told["message"]) == (True, "ok")
        data = told["data"]
        assert (data["object"], data["name"], data["unlimited_quota"]) == ("token_usage", "quota-key", False)
        assert data["total_granted"] == data["total_used"] + data["total_available"] == 2_000_000
        assert data["total_used"] > 0
        assert (data["model_limits"], data["model_limits_enabled"]) == ({"gpt-4o": True}, True)
        assert data["expires_at"] > 1_700_000_000
    endless = founded(platform, "endless-quota", credit="unlimited")
    data = platform.get("/api/usage/token/", endless).json["data"]
    assert (data["unlimited_quota"], data["model_limits_enabled"], data["expires_at"]) == (True, False, 0)
    status = platform.get("/api/status").json
    assert (status["success"], status["message"]) == (True, "")
    assert (status["data"]["quota_per_unit"], status["data"]["system_name"]) == (500_000, "tollhouse")
    assert status["data"]["display_in_currency"] is True
    assert status["data"]["version"]

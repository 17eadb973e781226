"""`/v1/dashboard/billing/*`, the balance in `/v1/key`, and new-api's two pages, as clients ask for them over HTTP."""

import datetime
import itertools
import json
from decimal import Decimal
from typing import Any

import pytest

from tests.walks.house import House, Reply
from tests.walks.key_places import PLACES

CHAT = "/v1/chat/completions"
HELLO = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 20}
SPELLINGS = ("/v1/dashboard/billing", "/dashboard/billing", "/v1/v1/dashboard/billing", "//dashboard/billing")
PAGES = ("subscription", "usage", "credit_grants")


def founded(house: House, name: str, credit: str = "0", **key: object) -> str:
    """An account with so much credit, and the secret of its key."""
    house.operator("accounts.create", name=name, credit_limit_usd=credit)
    return house.key(f"{name}-key", account=name, **key)


def ask(house: House, key: str, page: str, query: str = "") -> Any:
    reply = house.get(f"/v1/dashboard/billing/{page}{query}", key)
    assert reply.status == 200, reply.body
    assert reply.headers["cache-control"] == "no-store"
    return json.loads(reply.body, parse_float=Decimal)


def balance(house: House, key: str) -> Decimal:
    """As the tools compute it."""
    hard, cents = ask(house, key, "subscription")["hard_limit_usd"], ask(house, key, "usage")["total_usage"]
    assert isinstance(hard, Decimal)
    assert isinstance(cents, Decimal)
    return hard - cents / 100


def agree(one: Decimal, other: Decimal) -> bool:
    """To the micro-dollar, to which each figure is rounded."""
    return abs(one - other) <= Decimal("0.000001")


def charged(reply: Reply) -> None:
    assert reply.status == 200, reply.body


def test_the_subscription_has_every_field_of_the_original_and_none_is_missing_or_null(house: House) -> None:
    key = founded(house, "shape", credit="25")
    charged(house.post(CHAT, key, HELLO))
    told = ask(house, key, "subscription")
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
    assert agree(inner["remaining_usd"], balance(house, key))


def test_the_usage_lists_what_each_model_cost_on_each_day(house: House) -> None:
    key = founded(house, "used", credit="25")
    empty = ask(house, key, "usage")
    assert empty == {"object": "list", "total_usage": 0, "daily_costs": []}
    for model in ("gpt-4o", "gpt-4.1", "gpt-4o"):
        charged(house.post(CHAT, key, {**HELLO, "model": model}))
    told = ask(house, key, "usage")
    items = [item for day in told["daily_costs"] for item in day["line_items"]]
    assert {item["name"] for item in items} == {"gpt-4o", "gpt-4.1"}
    assert sum(item["cost"] for item in items) == told["total_usage"] > 0
    assert all(day["timestamp"] % 86_400 == 0 for day in told["daily_costs"])
    for query in ("?start_date=2020-01-01&end_date=2030-01-01", "?start_date=2026-1-1&_t=17&start_date=2021-1-1"):
        assert ask(house, key, "usage", query)["total_usage"] == told["total_usage"]
    assert ask(house, key, "usage", "?start_date=2020-01-01&end_date=2020-02-01")["total_usage"] == 0


def test_m03_the_whole_is_the_sum_of_its_slices_of_a_hundred_days(house: House) -> None:
    """To the micro-dollar, as clients reckon it; the original refused more than a hundred days at once."""
    key = founded(house, "sliced", credit="25")
    for model in ("gpt-4o", "gpt-4.1", "gpt-4o-mini", "gpt-4o"):
        charged(house.post(CHAT, key, {**HELLO, "model": model}))
    whole = ask(house, key, "usage", "?start_date=2020-01-01&end_date=2030-01-01")
    edges = [datetime.date(2020, 1, 1) + datetime.timedelta(days=100 * place) for place in range(37)]
    edges.append(datetime.date(2030, 1, 1))
    assert (edges[1] - edges[0], edges[-1] > edges[-2]) == (datetime.timedelta(days=100), True)
    slices = [
        ask(house, key, "usage", f"?start_date={start}&end_date={end}") for start, end in itertools.pairwise(edges)
    ]
    total = sum((part["total_usage"] for part in slices), Decimal())
    assert whole["total_usage"] > 0
    assert agree(total / 100, whole["total_usage"] / 100)
    assert [day for part in slices for day in part["daily_costs"]] == whole["daily_costs"]


@pytest.mark.parametrize("query", ["?start_date=yesterday", "?end_date=2026-02-30", "?start_date=%FF"])
def test_a_date_that_is_none_is_a_400_that_names_it(house: House, query: str) -> None:
    reply = house.get(f"/v1/dashboard/billing/usage{query}", house.facts["api_key"])
    assert reply.verdict == (400, "invalid_request_error")
    assert reply.error["param"] == query[1:].partition("=")[0]


def test_every_spelling_of_the_path_and_every_place_of_the_key_means_the_same(house: House) -> None:
    key = founded(house, "spelled", credit="5")
    for page in PAGES:
        told = ask(house, key, page)
        for start in SPELLINGS:
            for end in ("", "/", "?x=1"):
                assert json.loads(house.get(f"{start}/{page}{end}", key).body, parse_float=Decimal) == told
        for place in PLACES:
            if place.name != "?key=":
                reply = house.ask("GET", f"/dashboard/billing/{page}", place.headers(key))
                assert json.loads(reply.body, parse_float=Decimal) == told
        head = house.ask("HEAD", f"/dashboard/billing/{page}", PLACES[0].headers(key))
        assert (head.status, head.body) == (200, b"")


def test_they_answer_when_the_money_is_gone(house: House) -> None:
    key = founded(house, "poor")
    assert house.post(CHAT, key, HELLO).verdict == (429, "insufficient_quota")
    assert [house.get(f"/dashboard/billing/{page}", key).status for page in PAGES] == [200, 200, 200]
    assert balance(house, key) == 0
    assert house.get("/v1/key", key).json["balance"]["available_usd"] == "0"


def test_they_answer_when_a_budget_or_a_limit_is_used_up(house: House) -> None:
    key = founded(house, "limited", credit="5")
    house.operator("budgets.set", key="limited-key", amount_usd="0", window="day")
    assert house.post(CHAT, key, HELLO).verdict == (429, "insufficient_quota")
    told = ask(house, key, "subscription")
    assert (told["hard_limit_usd"], told["tollhouse"]["scope"], told["tollhouse"]["window"]) == (0, "key", "day")
    assert told["tollhouse"]["resets_at"] > 0
    (budget,) = house.get("/v1/key", key).json["budgets"]
    assert (budget["level"], budget["window"], budget["limit_usd"], budget["remaining_usd"]) == ("key", "day", "0", "0")
    other = founded(house, "slow", credit="5")
    house.operator("limits.set", key="slow-key", requests_per_minute=1)
    charged(house.post(CHAT, other, HELLO))
    assert house.post(CHAT, other, HELLO).verdict == (429, "rate_limit_exceeded")
    for path in ("/v1/key", "/api/usage/token/", *(f"/dashboard/billing/{page}" for page in PAGES)):
        assert [house.get(path, other).status for _ in range(5)] == [200] * 5


def test_a_frozen_key_and_a_suspended_account_are_canceled_and_no_401(house: House) -> None:
    key = founded(house, "stopped", credit="5")
    house.operator("keys.freeze", "stopped-key")
    for turn in ("frozen", "suspended"):
        told = ask(house, key, "subscription")
        assert told["canceled"] is True, turn
        assert told["canceled_at"] > 1_700_000_000
        assert ask(house, key, "usage")["total_usage"] == 0
        assert ask(house, key, "credit_grants")["total_available"] == 5
        assert house.get("/api/usage/token/", key).status == 200
        house.operator("keys.unfreeze", "stopped-key")
        house.operator("accounts.suspend", "stopped")
    house.operator("accounts.resume", "stopped")
    assert ask(house, key, "subscription")["canceled"] is False


def test_who_may_not_read_is_told_why(house: House) -> None:
    frozen = founded(house, "doors", scopes=["inference"])
    assert house.get("/dashboard/billing/usage", frozen).verdict == (403, "scope_missing")
    elsewhere = house.key("doors-elsewhere", account="doors", networks=["10.99.0.0/16"])
    assert house.get("/dashboard/billing/usage", elsewhere).verdict == (403, "ip_not_allowed")
    admin = house.key("doors-admin", account="doors", mode="admin")
    assert house.get("/dashboard/billing/usage", admin).verdict == (403, "scope_missing")
    revoked = house.key("doors-revoked", account="doors")
    house.operator("keys.revoke", "doors-revoked")
    for key in (revoked, "sk-nobody", ""):
        for path in ("/dashboard/billing/usage", "/api/usage/token/"):
            assert house.get(path, key).verdict == (401, "invalid_api_key")


def test_what_binds_is_what_has_least_left(house: House) -> None:
    key = founded(house, "bound", credit="50")
    house.operator("budgets.set", account="bound", amount_usd="20", window="month", soft=[90, 50])
    house.operator("budgets.set", key="bound-key", amount_usd="30", window="week")
    house.operator("budgets.set", key="bound-key", amount_usd="1", window="total", model="gpt-9*")
    charged(house.post(CHAT, key, HELLO))
    told = ask(house, key, "subscription")
    assert (told["hard_limit_usd"], told["soft_limit_usd"], told["tollhouse"]["scope"]) == (20, 10, "account")
    assert agree(told["tollhouse"]["remaining_usd"], balance(house, key))
    house.operator("budgets.set", key="bound-key", amount_usd="3", window="week")
    told = ask(house, key, "subscription")
    assert (told["tollhouse"]["scope"], told["tollhouse"]["limit_usd"]) == ("key", 3)
    assert agree(told["tollhouse"]["remaining_usd"], balance(house, key))
    assert balance(house, key) < 3
    assert len(house.get("/v1/key", key).json["budgets"]) == 3


def test_the_key_tells_its_balance_in_exact_dollars(house: House) -> None:
    key = founded(house, "exact", credit="2.5")
    house.operator("credits.grant", account="exact", amount_usd="10.000000001")
    charged(house.post(CHAT, key, HELLO))
    told = house.get("/v1/key", key).json["balance"]
    used = Decimal("10.000000001") - Decimal(told["balance_usd"])
    assert used > 0
    assert (told["credit_limit_usd"], told["held_usd"]) == ("2.5", "0")
    assert Decimal(told["available_usd"]) == Decimal(told["balance_usd"]) + Decimal("2.5")
    endless = founded(house, "endless", credit="unlimited")
    charged(house.post(CHAT, endless, HELLO))
    told = house.get("/v1/key", endless).json["balance"]
    assert Decimal(told["balance_usd"]) == -used
    assert (told["credit_limit_usd"], told["available_usd"]) == ("unlimited", "unlimited")
    assert agree(balance(house, endless), 100_000_000 - used)


def test_credit_grants_are_listed_with_what_is_left(house: House) -> None:
    key = founded(house, "granted")
    house.operator("credits.grant", account="granted", amount_usd="10", reason="welcome")
    charged(house.post(CHAT, key, HELLO))
    told = ask(house, key, "credit_grants")
    assert (told["object"], told["total_granted"], told["grants"]["object"]) == ("credit_summary", 10, "list")
    assert told["total_granted"] == told["total_used"] + told["total_available"]
    (grant,) = told["grants"]["data"]
    assert (grant["object"], grant["grant_amount"], grant["expires_at"]) == ("credit_grant", 10, 0)
    assert grant["used_amount"] == told["total_used"] > 0
    assert grant["effective_at"] > 1_700_000_000


def test_new_api_clients_read_quota(house: House) -> None:
    key = founded(house, "quota", credit="4", models=["gpt-4o"], expires="30d")
    charged(house.post(CHAT, key, HELLO))
    for path in ("/api/usage/token/", "/api/usage/token"):
        told = house.get(path, key).json
        assert (told["code"], told["message"]) == (True, "ok")
        data = told["data"]
        assert (data["object"], data["name"], data["unlimited_quota"]) == ("token_usage", "quota-key", False)
        assert data["total_granted"] == data["total_used"] + data["total_available"] == 2_000_000
        assert data["total_used"] > 0
        assert (data["model_limits"], data["model_limits_enabled"]) == ({"gpt-4o": True}, True)
        assert data["expires_at"] > 1_700_000_000
    endless = founded(house, "endless-quota", credit="unlimited")
    data = house.get("/api/usage/token/", endless).json["data"]
    assert (data["unlimited_quota"], data["model_limits_enabled"], data["expires_at"]) == (True, False, 0)
    status = house.get("/api/status").json
    assert (status["success"], status["message"]) == (True, "")
    assert (status["data"]["quota_per_unit"], status["data"]["system_name"]) == (500_000, "tollhouse")
    assert status["data"]["display_in_currency"] is True
    assert status["data"]["version"]

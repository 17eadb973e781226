"""Prices by the control API: what an account pays is what it is shown; price files come, are tried and put in force."""

import json
from typing import Any

import pytest

from tests.admin.harness import AdminHarness

TOML = b"""
[providers.up]
kind = "simulator"
cost = { their-name = { input = "3", output = "4" } }
[models.toll-1]
offers = [{ provider = "up", model = "their-name" }]
price = { input = "2.50", output = "10.00", tiers = [{ above_input_tokens = 1000, input = "5.00", output = "15.00" }] }
[models.open]
offers = [{ provider = "up", model = "other" }]
free = true
[models.bare]
offers = [{ provider = "up", model = "other" }]
"""
CSV = b"model,input,output\ntoll-1,1,2\nbare,3,4\n"


@pytest.fixture
def sold(admin_harness: AdminHarness) -> AdminHarness:
    assert admin_harness.operator("POST", "/api/v1/platform/apply", TOML).status == 200
    return admin_harness


def price_of(admin_harness: AdminHarness, model: str = "toll-1", name: str | None = "alpha-admin") -> Any:
    ask = admin_harness.operator if name is None else lambda *what: admin_harness.bearer(name, *what)
    models = {row["id"]: row for row in ask("GET", "/api/v1/models").body["data"]}
    return models[model]["price"]


def imported(admin_harness: AdminHarness, data: bytes = CSV, price_list: str = "retail") -> Any:
    reply = admin_harness.operator("POST", f"/api/v1/price_drafts?list={price_list}", data)
    assert reply.status == 201, reply.body
    return reply.body


def test_an_account_is_shown_what_it_pays(sold: AdminHarness) -> None:
    as_listed = {
        "input": "2.50",
        "output": "10.00",
        "tiers": [{"input": "5.00", "output": "15.00", "above_input_tokens": 1000}],
    }
    assert price_of(sold) == price_of(sold, name=None) == as_listed
    reply = sold.operator(
        "POST", f"/api/v1/accounts/{sold.accounts['alpha']}", {"multiplier": "1.2", "groups": ["vip"]}
    )
    assert (reply.body["multiplier"], reply.body["groups"], reply.body["price_list"]) == ("1.2", ["vip"], "default")
    times = {"input": "3", "output": "12", "tiers": [{"above_input_tokens": 1000, "input": "6", "output": "18"}]}
    assert price_of(sold) == times
    assert price_of(sold, name="beta-admin") == as_listed
    assert price_of(sold, "open") == price_of(sold, "bare") == {}


def test_the_operator_sees_what_is_sold_below_cost_and_an_account_does_not(sold: AdminHarness) -> None:
    rows = {row["id"]: row for row in sold.operator("GET", "/api/v1/models").body["data"]}
    assert rows["toll-1"]["below_cost"] == [
        "input, cache_read, cache_write_5m, cache_write_1h, audio_in, image_in of up/their-name by list default"
    ]
    assert rows["open"]["below_cost"] == rows["bare"]["below_cost"] == []
    assert all(not row["below_cost"] for row in sold.bearer("alpha-admin", "GET", "/api/v1/models").body["data"])


def test_a_price_file_from_import_to_sale(sold: AdminHarness) -> None:
    draft = imported(sold)
    assert (draft["object"], draft["list"], draft["models"], draft["state"]) == ("price_draft", "retail", 2, "draft")
    assert "below cost" in draft["warnings"][0]
    where = f"/api/v1/price_drafts/{draft['id']}"
    assert sold.operator("GET", where).body == draft
    preview = sold.operator("GET", f"{where}/preview?days=3").body
    assert (preview["object"], preview["data"], preview["looked_at"], preview["next"]) == ("price_preview", [], 0, None)
    assert preview["as_if_everybody"] is True
    assert sold.operator("POST", f"{where}/activate", {"at": "2020-01-01"}).status == 400
    active = sold.operator("POST", f"{where}/activate", {"at": "2h"}).body
    assert (active["state"], active["effective_from"]) == ("scheduled", "2027-01-15T10:00:00Z")
    sold.operator("POST", f"/api/v1/accounts/{sold.accounts['alpha']}", {"price_list": "retail"})
    assert price_of(sold)["input"] == "2.50"
    sold.clock.ms += 7_200_000
    assert (price_of(sold), price_of(sold, "bare")) == ({"input": "1", "output": "2"}, {"input": "3", "output": "4"})
    assert price_of(sold, name="beta-admin")["input"] == "2.50"
    (row,) = sold.operator("GET", "/api/v1/prices?model=bare").body["data"]
    assert (row["list"], row["state"], row["managed_by"], row["draft_id"]) == ("retail", "in_force", "api", draft["id"])
    listed = sold.operator("GET", "/api/v1/price_drafts").body["data"]
    assert [(one["id"], one["state"]) for one in listed] == [(draft["id"], "in_force")]
    assert sold.operator("POST", f"{where}/activate", {}).status == 409
    sold.close()
    sold.open()
    assert price_of(sold) == {"input": "1", "output": "2"}


def test_every_mistake_of_a_file_stands_in_the_one_answer(sold: AdminHarness) -> None:
    reply = sold.operator("POST", "/api/v1/price_drafts", b"model,input\na,x\nb,1\nb,2\n")
    assert (reply.status, reply.body["error"]["param"]) == (400, "file")
    assert [line.partition(":")[0] for line in reply.message.split("\n")][:2] == ["line 2", "line 4"]
    assert sold.operator("GET", "/api/v1/price_drafts").body["data"] == []


def test_what_the_file_prices_cannot_be_activated_in_its_list(sold: AdminHarness) -> None:
    draft = imported(sold, price_list="default")
    assert any("platform.toml says the price" in warning for warning in draft["warnings"])
    assert draft["owned_by_file"] == ["toll-1"]
    reply = sold.operator("POST", f"/api/v1/price_drafts/{draft['id']}/activate", {"at": "now"})
    assert (reply.status, reply.body["error"]["param"]) == (400, "list")
    bare = imported(sold, b'{"bare": {"input": "3"}}', "default")
    assert bare["owned_by_file"] == []
    assert sold.operator("POST", f"/api/v1/price_drafts/{bare['id']}/activate", {}).status == 200
    assert price_of(sold, "bare", name="beta-admin") == {"input": "3"}


def unpriced(admin_harness: AdminHarness, transaction: str, toml: bytes) -> list[str]:
    warnings = admin_harness.operator("POST", f"/api/v1/platform/{transaction}", toml).body["warnings"]
    return [words.partition(" ")[0] for words in warnings if "no price" in words]


@pytest.mark.parametrize("transaction", ["plan", "apply"])
@pytest.mark.parametrize("price_list", ["default", "retail"])
def test_a_model_that_an_imported_list_prices_has_a_price(
    sold: AdminHarness, transaction: str, price_list: str
) -> None:
    assert unpriced(sold, transaction, TOML) == ["models.bare"]
    draft = imported(sold, b'{"bare": {"input": "3"}}', price_list)
    assert unpriced(sold, transaction, TOML) == ["models.bare"], "a draft sells nothing"
    sold.operator("POST", f"/api/v1/price_drafts/{draft['id']}/activate", {"at": "2h"})
    assert unpriced(sold, transaction, TOML) == ["models.bare"], "nor does what is scheduled"
    sold.clock.ms += 7_200_000
    assert unpriced(sold, transaction, TOML) == []
    dropped = TOML.replace(b'price = { input = "2.50"', b'aliases = []\n#price = { input = "2.50"')
    assert unpriced(sold, transaction, dropped) == ["models.toll-1"], (
        "what the file priced leaves the list with its word"
    )
    assert unpriced(sold, transaction, dropped) == ["models.toll-1"]
    out = imported(sold, b'{"bare": null}', price_list)
    sold.operator("POST", f"/api/v1/price_drafts/{out['id']}/activate", {})
    assert unpriced(sold, transaction, TOML) == ["models.bare"]


@pytest.mark.parametrize("transaction", ["plan", "apply"])
def test_a_model_that_only_a_list_of_its_own_prices_is_told(sold: AdminHarness, transaction: str) -> None:
    """Accounts that buy by the default list are refused."""

    def only() -> list[str]:
        warnings = sold.operator("POST", f"/api/v1/platform/{transaction}", TOML).body["warnings"]
        return [words for words in warnings if "alone" in words]

    for name in ("retail", "partners"):
        draft = imported(sold, b'{"bare": {"input": "3"}}', name)
        sold.operator("POST", f"/api/v1/price_drafts/{draft['id']}/activate", {})
        assert only()[0].startswith("models.bare (line ")
    assert only()[0].endswith(
        "priced by the lists partners, retail alone: calls of accounts that buy by another are refused"
    )
    draft = imported(sold, b'{"bare": {"input": "3"}}', "default")
    sold.operator("POST", f"/api/v1/price_drafts/{draft['id']}/activate", {})
    assert only() == []


def test_prices_of_others_are_the_operators_to_see(sold: AdminHarness) -> None:
    for target in ("/api/v1/prices", "/api/v1/price_drafts", "/api/v1/margins", "/api/v1/public_models"):
        assert sold.bearer("alpha-admin", "GET", target).status == 403
    assert sold.operator("GET", "/api/v1/margins?days=1").body["data"] == []
    assert sold.operator("GET", "/api/v1/margins?days=0").status == 400


def test_public_models_carry_the_day_and_the_page_to_compare_with(sold: AdminHarness) -> None:
    rows = {row["id"]: row for row in sold.operator("GET", "/api/v1/public_models").body["data"]}
    assert rows["gpt-4o"]["price"] == {"input": "2.50", "cache_read": "1.25", "output": "10.00"}
    assert all(row["checked"] and row["page"].startswith("https://") for row in rows.values())
    tier = rows["gemini-2.5-pro"]["price"]["tiers"][0]
    assert tier["above_input_tokens"] == 200_000
    assert {"input", "output"} <= set(tier)
    as_file = json.dumps({name: row["price"] for name, row in rows.items() if row["price"]})
    assert imported(sold, as_file.encode())["models"] > 100

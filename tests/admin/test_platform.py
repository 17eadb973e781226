"""The configuration through the control API: mistakes all at once, plan, apply, and what an account sees of it."""

import json

import pytest

from tests.admin.destinations import destination
from tests.admin.harness import AdminHarness

TOML = b"""
[providers.up]
kind = "openai_compatible"
base_url = "https://up.example/v1"
api_keys = ["sk-written-in-the-file"]

[models.toll-1]
offers = [{ provider = "up", model = "their-name" }]
price = { input = "2.50", output = "10.00" }
"""


def test_plan_changes_nothing_and_apply_does_it_once(admin_harness: AdminHarness) -> None:
    planned = admin_harness.operator("POST", "/api/v1/platform/plan", TOML).body
    assert [(one["change"], one["kind"], one["id"]) for one in planned["changes"]] == [
        ("create", "provider", "up"),
        ("create", "model", "toll-1"),
    ]
    assert admin_harness.operator("GET", "/api/v1/platform").body["generation"] == 0
    applied = admin_harness.operator("POST", "/api/v1/platform/apply", TOML).body
    assert applied["generation"] == 1
    assert admin_harness.operator("POST", "/api/v1/platform/apply", TOML).body["changes"] == []
    assert admin_harness.operator("GET", "/api/v1/platform").body == {
        "object": "platform",
        "generation": 1,
        "providers": 1,
        "models": 1,
        "plans": 0,
        "version": "0",
    }


def test_a_provider_key_is_in_no_answer_and_in_no_file(admin_harness: AdminHarness) -> None:
    texts = [
        json.dumps(admin_harness.operator("POST", f"/api/v1/platform/{transaction}", TOML).body)
        for transaction in ("plan", "apply")
    ]
    texts += [
        json.dumps(admin_harness.operator("GET", f"/api/v1/{path}").body) for path in ("providers", "models", "audit")
    ]
    assert not [text for text in texts if "sk-written-in-the-file" in text]
    for path in admin_harness.folder.iterdir():
        assert b"sk-written-in-the-file" not in path.read_bytes(), path


def test_every_mistake_stands_in_the_one_answer(admin_harness: AdminHarness) -> None:
    reply = admin_harness.operator(
        "POST", "/api/v1/platform/apply", b'[plattform]\n[server]\ndatabse = "x"\n[models.x]\nprice = { input = 2.5 }'
    )
    assert reply.status == 400
    lines = reply.message.split("\n")
    assert [line.partition(" ")[0] for line in lines] == ["plattform", "server.databse", "models.x.price.input"]
    assert admin_harness.operator("GET", "/api/v1/platform").body["generation"] == 0


@pytest.mark.parametrize("transaction", ["plan", "apply"])
def test_a_key_file_that_has_changed_is_named_and_nothing_else_changes(
    admin_harness: AdminHarness, transaction: str
) -> None:
    (admin_harness.folder / "main.key").write_text("sk-one\n", encoding="utf-8")
    text = TOML.replace(b"sk-written-in-the-file", b"file:main.key")
    assert admin_harness.operator("POST", "/api/v1/platform/apply", text).status == 200
    provider = admin_harness.services.catalogue.providers["up"]
    admin_harness.destinations = {"up": destination(provider, keys=("sk-one",))}
    assert admin_harness.operator("POST", f"/api/v1/platform/{transaction}", text).body["reloads"] == []
    (admin_harness.folder / "main.key").write_text("sk-two\n", encoding="utf-8")
    answer = admin_harness.operator("POST", f"/api/v1/platform/{transaction}", text).body
    assert (answer["reloads"], answer["changes"]) == (["up"], [])
    other = text.replace(b"file:main.key", b"sk-three")
    answer = admin_harness.operator("POST", "/api/v1/platform/plan", other).body
    assert (answer["reloads"], len(answer["changes"])) == ([], 1), "what the file says otherwise is a change"


def test_utf16_is_refused_by_name(admin_harness: AdminHarness) -> None:
    reply = admin_harness.operator("POST", "/api/v1/platform/plan", TOML.decode().encode("utf-16"))
    assert reply.status == 400
    assert "UTF-16" in reply.message


def test_an_account_sees_models_and_prices_but_not_who_serves_them(admin_harness: AdminHarness) -> None:
    admin_harness.operator("POST", "/api/v1/platform/apply", TOML)
    text = json.dumps(admin_harness.bearer("alpha-admin", "GET", "/api/v1/models").body)
    assert "toll-1" in text
    assert "2.50" in text
    assert "their-name" not in text
    assert "up.example" not in text
    assert "their-name" in json.dumps(admin_harness.operator("GET", "/api/v1/models").body)


def test_an_account_does_not_see_models_of_groups_that_are_closed_to_it(admin_harness: AdminHarness) -> None:
    closed = b'\n[models."secret-1"]\noffers = []\nfree = true\ngroups = ["vip"]\n'
    assert admin_harness.operator("POST", "/api/v1/platform/apply", TOML + closed).status == 200
    seen = admin_harness.bearer("alpha-admin", "GET", "/api/v1/models").body["data"]
    assert [row["id"] for row in seen] == ["toll-1"]
    assert "secret-1" in json.dumps(admin_harness.operator("GET", "/api/v1/models").body)


def test_a_check_without_a_running_server_says_so(admin_harness: AdminHarness) -> None:
    admin_harness.operator("POST", "/api/v1/platform/apply", TOML)
    (row,) = admin_harness.operator("POST", "/api/v1/providers/check", {}).body["data"]
    assert (row["provider"], row["state"]) == ("up", "not_run")
    assert admin_harness.operator("POST", "/api/v1/providers/check", {"provider": "nobody"}).status == 404


@pytest.mark.parametrize(
    "amount", ["-7", "-0", "NaN", "Infinity", "1e400", "1e-12", "0.0000000001", "1,5", "٣", "9" * 40]
)
def test_a_credit_limit_that_is_no_amount_is_refused(admin_harness: AdminHarness, amount: str) -> None:
    reply = admin_harness.operator("POST", "/api/v1/accounts", {"name": "x", "credit_limit_usd": amount})
    assert (reply.status, reply.body["error"]["param"]) == (400, "credit_limit_usd")


@pytest.mark.parametrize("amount", ["0", "0.000000001", "unlimited", "12.50"])
def test_an_amount_comes_back_as_it_was_written(admin_harness: AdminHarness, amount: str) -> None:
    reply = admin_harness.operator("POST", "/api/v1/accounts", {"name": "x", "credit_limit_usd": amount})
    assert reply.status == 201
    assert reply.body["credit_limit_usd"] == amount.removesuffix("0") if amount == "12.50" else amount


@pytest.mark.parametrize("transaction", ["plan", "apply"])
def test_what_takes_effect_with_the_next_start_is_named(admin_harness: AdminHarness, transaction: str) -> None:
    """B4: `plan` said that nothing would change, and nothing did."""
    text = b"""
[server]
trusted_proxies = ["10.0.0.0/8"]
[platform]
public_url = "https://llm.example"
[outbound]
allow_networks = ["10.0.0.0/8"]
[mail]
smtp = "smtp://mail.example"
"""
    named = ("server.trusted_proxies", "outbound.allow_networks", "platform.public_url", "mail.smtp")
    body = admin_harness.operator("POST", f"/api/v1/platform/{transaction}", text).body
    assert body["changes"] == []
    assert body["warnings"] == [f"{name}: takes effect when the server is started again" for name in named]
    assert admin_harness.operator("POST", f"/api/v1/platform/{transaction}", b"").body["warnings"] == []

"""Commands about limits and money, typed on a data folder without a server."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.test_commands import PLATFORM, Folder

NO_AMOUNTS = ("-7", "-0", "NaN", "Infinity", "1e400", "1e-12", "0.0000000001", "1,5", "٣", "9" * 40)

PLAN = """
[plans.default]
requests_per_minute = 500
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder(tmp_path_factory.mktemp("data"))
    folder.json("init")
    (folder.path / "platform.toml").write_text(PLATFORM + PLAN, encoding="utf-8")
    assert folder.json("apply").answer["generation"] == 1
    folder.json("accounts", "create", "acme")
    return folder


def test_limits_are_set_shown_and_removed(made: Folder) -> None:
    words = ("limits", "set", "--account", "acme", "--requests-per-minute", "900", "--tokens-per-minute", "0")
    (requests, tokens) = made.json(*words, "--until", "30d", "--note", "launch week").answer["data"]
    assert (requests["limit"], requests["note"], tokens["limit"]) == (900, "launch week", 0)
    told = made.type("limits", "show", "--account", "acme")
    assert all(word in told.out for word in ("requests_per_minute", "900", "launch week", requests["id"]))
    assert made.json("limits", "remove", requests["id"]).answer["id"] == requests["id"]
    shown = made.json("limits", "show", "--account", "acme").answer["data"]
    assert sorted((one["name"], one["source"]) for one in shown) == [
        ("requests_per_minute", "plan"),
        ("tokens_per_minute", "rule"),
    ]
    assert "the plan" in made.type("limits", "show", "--account", "acme").out
    assert made.type("limits", "remove", requests["id"]).code == 1
    made.json("limits", "set", "--model", "toll-1", "--parallel-requests", "5")
    assert made.json("limits", "show", "--model", "toll-1").answer["data"][0]["level"] == "model"


def test_a_rule_that_does_not_hold_now_is_shown_as_such(made: Folder) -> None:
    made.json("accounts", "create", "twice")
    where = ("limits", "set", "--account", "twice", "--parallel-requests")
    made.json(*where, "5", "--until", "30d")
    made.json(*where, "3")
    assert "(does not hold now)" in made.type("limits", "show", "--account", "twice").out


def test_limits_without_a_target_are_all_that_stand(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.json("init")
    (folder.path / "platform.toml").write_text(PLATFORM, encoding="utf-8")
    folder.json("apply")
    assert "No limit was set\nAccounts may have limits by their plans" in folder.type("limits", "show").out
    folder.json("accounts", "create", "acme")
    folder.json("keys", "create", "ci", "--account", "acme")
    folder.json("limits", "set", "--key", "ci", "--parallel-requests", "3")
    folder.json("limits", "set", "--model", "toll-1", "--requests-per-minute", "7")
    shown = folder.json("limits", "show").answer["data"]
    assert [(one["level"], one["limit"]) for one in shown] == [("key", 3), ("model", 7)]
    (folder.path / "platform.toml").write_text(PLATFORM + PLAN, encoding="utf-8")
    folder.json("apply")
    told = folder.type("limits", "show").out
    assert "the plan" in told
    assert "Accounts may" not in told
    folder.json("accounts", "create", "other")
    told = folder.type("limits", "show").out
    assert "the plan" not in told
    assert "Accounts may" in told


def test_codes_are_made_listed_and_redeemed(made: Folder) -> None:
    one, other = made.json("codes", "create", "--amount", "5", "--count", "2", "--note", "fair").answer["data"]
    entry = made.json("codes", "redeem", one["secret"], "--account", "acme").answer
    assert (entry["kind"], entry["amount_usd"]) == ("top_up", "5")
    again = made.json("codes", "redeem", one["secret"], "--account", "acme")
    assert (again.code, again.error["code"]) == (2, "invalid_request_error")
    listed = made.type("codes", "list").out
    assert one["id"] in listed
    assert not any(code["secret"] in listed for code in (one, other))
    printed = made.type("codes", "create", "--amount", "1", "--count", "3").out.splitlines()
    assert [len(line) for line in printed] == [29, 29, 29]


def test_balances_are_set_right_and_read_as_a_bill(made: Folder) -> None:
    made.json("accounts", "create", "bank", "--credit-limit", "2")
    assert made.json("accounts", "set", "bank", "--credit-limit", "unlimited").answer["credit_limit_usd"] == "unlimited"
    made.json("credits", "grant", "bank", "10", "--reason", "a start")
    entry = made.json("credits", "adjust", "bank", "-2.5", "--reason", "counted twice").answer
    assert (entry["amount_usd"], entry["balance_usd"]) == ("-2.5", "7.5")
    assert made.json("credits", "adjust", "bank", "1").error["code"] == "usage"
    assert made.json("credits", "expire").answer["data"] == []
    bill = made.json("ledger", "statement", "--account", "bank").answer
    assert (bill["closing_usd"], [line["kind"] for line in bill["lines"]]) == ("7.5", ["grant", "adjustment"])
    for_people = made.type("ledger", "statement", "--account", "bank").out
    assert all(word in for_people for word in ("opening balance", "counted twice", "7.5"))
    assert made.json("ledger", "statement", "--account", "bank", "--month", "2026").code == 2


def test_the_operators_budget_is_set_by_command(made: Folder) -> None:
    words = ("budgets", "set", "--account", "acme", "--amount", "100", "--window", "month")
    assert made.json(*words, "--system").answer["managed_by_operator"] is True
    assert made.json(*words).answer["managed_by_operator"] is False


def test_an_accounts_zone_is_that_of_its_budgets(made: Folder) -> None:
    account = made.json("accounts", "create", "east", "--zone", "Asia/Tokyo").answer
    assert account["zone"] == "Asia/Tokyo"
    assert made.json("budgets", "set", "--account", "east", "--amount", "5", "--window", "day").answer["zone"] == (
        "Asia/Tokyo"
    )
    moved = made.json("accounts", "set", "east", "--zone", "Europe/Berlin", "--email", "o@east.example").answer
    assert (moved["zone"], moved["email"]) == ("Europe/Berlin", "o@east.example")
    assert made.type("accounts", "set", "east", "--zone", "Mars/X").code == 2


def test_a_webhook_is_not_set_without_the_master_key_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MASTER", raising=False)
    folder = Folder(tmp_path)
    folder.json("init")
    (folder.path / "platform.toml").write_text('[server]\nmaster_key = "env:MASTER"\n', encoding="utf-8")
    folder.json("accounts", "create", "acme")
    words = ("budgets", "set", "--account", "acme", "--amount", "1", "--window", "day")
    hooked = (*words, "--webhook", "https://hooks.example/in")
    refused = folder.json(*hooked)
    assert (refused.code, refused.error["code"]) == (1, "conflict")
    assert "variable MASTER is not set" in refused.error["message"]
    assert folder.json(*words).code == 0
    monkeypatch.setenv("MASTER", "m" * 40)
    secret = folder.json(*hooked).answer["secret"]
    assert secret.startswith("whsec_")
    with sqlite3.connect(folder.path / "tollhouse.db") as database:
        (kept,) = database.execute("SELECT secret FROM webhook_secrets").fetchall()
    database.close()
    assert kept[0].startswith("enc:v1:")
    assert secret.removeprefix("whsec_") not in kept[0]


def test_a_grant_whose_time_is_over_ends_by_command(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.json("init")
    folder.json("accounts", "create", "acme")
    folder.json("credits", "grant", "acme", "7", "--expires", "1s")
    posted: list[dict[str, str]] = []
    while not posted:  # the second that the grant has left
        posted = folder.json("credits", "expire").answer["data"]
    assert (posted[0]["kind"], posted[0]["amount_usd"], posted[0]["balance_usd"]) == ("expiry", "-7", "0")


def test_a_flaw_in_the_ledger_is_exit_code_1_and_told(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.json("init")
    folder.json("accounts", "create", "acme")
    folder.json("credits", "grant", "acme", "7")
    assert folder.json("ledger", "verify").answer["ok"] is True
    assert "Everything agrees: 1 entries of 1 accounts" in folder.type("ledger", "verify").out
    with sqlite3.connect(tmp_path / "tollhouse.db") as connection:
        connection.execute("UPDATE account_money SET spent = 1")
    connection.close()
    found = folder.json("ledger", "verify")
    assert found.code == 1
    assert '"ok":false' in found.out
    assert "spent is kept as 1" in found.out
    for_people = folder.type("ledger", "verify")
    assert for_people.code == 1
    assert "spent is kept as 1, its entries make 0" in for_people.out
    assert "1 flaws in 1 entries" in for_people.out


@pytest.mark.parametrize("usd", NO_AMOUNTS)
def test_what_is_no_amount_is_exit_code_2_and_the_field_is_named(made: Folder, usd: str) -> None:
    commands = [
        ("amount_usd", ("credits", "grant", "acme", usd)),
        ("amount_usd", ("budgets", "set", "--account", "acme", "--window", "day", "--amount", usd)),
        ("amount_usd", ("codes", "create", "--amount", usd)),
        ("credit_limit_usd", ("accounts", "create", "x", "--credit-limit", usd)),
        ("credit_limit_usd", ("accounts", "set", "acme", "--credit-limit", usd)),
    ]
    if usd != "-7":  # an adjustment may go down
        commands.append(("amount_usd", ("credits", "adjust", "acme", usd, "--reason", "x")))
    for field, words in commands:
        ran = made.json(*words)
        assert ran.code == 2, words
        assert ran.error["message"].startswith(f"{field}: ")


@pytest.mark.parametrize("usd", NO_AMOUNTS)
def test_a_price_that_is_none_is_exit_code_2_and_the_field_is_named(tmp_path: Path, usd: str) -> None:
    folder = Folder(tmp_path)
    folder.json("init")
    (tmp_path / "platform.toml").write_text(PLATFORM.replace("2.50", usd), encoding="utf-8")
    ran = folder.json("apply")
    assert ran.code == 2
    assert "models.toll-1.price.input" in ran.error["message"]
    (tmp_path / "platform.toml").write_text(f'[plans.default]\ncredit_limit_usd = "{usd}"\n', encoding="utf-8")
    ran = folder.json("apply")
    assert ran.code == 2
    assert "plans.default.credit_limit_usd" in ran.error["message"]

"""The pages of billing: what is left, a code that says what it will do, and a month's statement."""

import csv
import io

import pytest

from tests.admin.harness import OPERATOR, AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, member
from tests.console.test_pages import require_sound
from tollhouse.core.amount import NANO_PER_USD as USD
from tollhouse.core.charge import Charge
from tollhouse.services import codes, credits  # noqa: A004 - the noun

DAY_MS = 86_400_000
MONTH = "2027-01"  # of the clock of tests


def grant(admin: AdminHarness, amount: str, account: str = "alpha", **more: object) -> None:
    admin.runner.run(credits.grant(admin.services, OPERATOR, account, amount, **more))  # type: ignore[arg-type]


def code(admin: AdminHarness, amount: str = "25") -> str:
    return admin.runner.run(codes.create(admin.services, OPERATOR, amount_usd=amount))[0].secret


def test_page_shows_the_money_and_what_is_left_of_each_grant(admin: AdminHarness, owner: Browser) -> None:
    grant(admin, "10", reason="a start", expires_at_ms=admin.clock.ms + 9 * DAY_MS)
    grant(admin, "40", reason=HOSTILE)
    admin.call("alpha-live", charge=Charge(amount=3 * USD, price_id="price_1"))
    page = owner.get("/console/billing")
    require_sound(page.html)
    for words in ("$47.00", "$10.00", "$7.00", "$40.00", "a start", MONTH):
        assert words in page.html
    assert Outline(page.html).inline_scripts == 0
    shown = admin.bearer("alpha-admin", "GET", "/api/v1/balance").body
    assert (shown["balance_usd"], [one["left_usd"] for one in shown["grants"]]) == ("47", ["40", "7"])


def test_code_says_what_it_will_do_before_it_does_it(admin: AdminHarness, owner: Browser) -> None:
    text = code(admin)
    asked = owner.post("/console/billing/redeem", code=f" {text.lower()} ")
    require_sound(asked.html)
    assert "puts $25.00 into this account. The balance is then $25.00." in asked.html
    assert admin.services.counters.money(admin.accounts["alpha"]).limit == 0
    assert owner.post("/console/billing/redeem", code=text, do="redeem").status == 303
    assert admin.services.counters.money(admin.accounts["alpha"]).limit == 25 * USD
    for do in ("", "redeem"):
        again = owner.post("/console/billing/redeem", code=text, do=do)
        assert again.status == 400
        assert "no code that can be redeemed" in again.html
    assert admin.services.counters.money(admin.accounts["alpha"]).limit == 25 * USD


@pytest.mark.parametrize("text", ["", "NOPE", HOSTILE, "x" * 101])
def test_wrong_code_is_refused_and_stays_typed(owner: Browser, text: str) -> None:
    reply = owner.post("/console/billing/redeem", code=text)
    assert reply.status == 400
    assert Outline(reply.html).inline_scripts == 0
    assert owner.get("/console/billing").status == 200


def test_guessing_codes_is_slowed(owner: Browser) -> None:
    statuses = {owner.post("/console/billing/redeem", code=f"GUESS{number}").status for number in range(12)}
    assert statuses == {400, 429}


def test_statement_adds_up_by_kind_and_by_model(admin: AdminHarness, owner: Browser) -> None:
    grant(admin, "40", reason="a start")
    admin.call("alpha-live", model="gpt-4o", charge=Charge(amount=3 * USD, price_id="price_1"))
    admin.call("alpha-live", 2, model="o3", charge=Charge(amount=2 * USD, price_id="price_1"))
    page = owner.get(f"/console/billing/statement?month={MONTH}")
    require_sound(page.html)
    for words in (
        f"Statement of {MONTH}",
        "-$5.00",
        "$35.00",
        "gpt-4o",
        "$3.00",
        "a start",
        "stands today at number 3",
    ):
        assert words in page.html
    told = owner.get(f"/console/billing/statement.csv?month={MONTH}")
    assert told.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(told.html.removeprefix("\ufeff"))))
    assert [(row["kind"], row["amount_usd"]) for row in rows] == [
        ("opening", "0"),
        ("charge", "-5"),
        ("grant", "40"),
        ("closing", "35"),
    ]


def test_csv_of_page_api_and_command_is_the_same_and_no_formula(admin: AdminHarness, owner: Browser) -> None:
    grant(admin, "40", reason="=HYPERLINK(1)")
    page = owner.get("/console/billing/statement.csv").html
    api = admin.ask(
        "GET",
        "/api/v1/ledger/statement",
        headers=[(b"accept", b"text/csv"), (b"authorization", f"Bearer {admin.secrets['alpha-admin']}".encode())],
    )
    assert api.body == page
    assert "'=HYPERLINK(1)" in page


@pytest.mark.parametrize("month", ["2026-13", "x", "1969-12", HOSTILE])
def test_month_that_is_none_is_refused(owner: Browser, month: str) -> None:
    for path in ("statement", "statement.csv"):
        reply = owner.get(f"/console/billing/{path}?month={month}")
        assert reply.status == 400
        assert "<script>alert" not in reply.html


@pytest.mark.parametrize("role", ["developer", "viewer"])
def test_role_without_billing_sees_none_of_it(admin: AdminHarness, role: str) -> None:
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha", role))
    browser.get("/console/")
    for path in ("", "/statement", "/statement.csv"):
        assert browser.get(f"/console/billing{path}").status == 403
    assert browser.post("/console/billing/redeem", code=code(admin), do="redeem").status == 403
    assert "/console/billing" not in browser.get("/console/").html

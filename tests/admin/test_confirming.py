"""The reader of a mail address agrees to get an account's alerts: by the link of a mail, and by POST only."""

from tests.admin.harness import AdminHarness
from tests.services.fake_delivery import FakeDelivery, send_all
from tollhouse.services.context import CONFIRMATIONS_PER_MINUTE

PATH = "/api/v1/alerts/confirm"
BUDGET = {"amount_usd": "1", "window": "day", "soft": [50], "mail": "stranger@elsewhere.example"}
BROWSER = [(b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8")]


def asked(admin_harness: AdminHarness) -> tuple[str, str]:
    """An account names a stranger. The id of its budget, and the token of the mail that asks."""
    post = admin_harness.services.post = FakeDelivery()
    made = admin_harness.bearer(
        "alpha-admin", "POST", "/api/v1/budgets", BUDGET | {"account": admin_harness.accounts["alpha"]}
    )
    assert (made.status, made.body["mail_state"]) == (201, "unconfirmed")
    admin_harness.runner.run(send_all(admin_harness.services))
    return made.body["id"], post.sent[-1].text.partition("token=")[2].split()[0]


def state(admin_harness: AdminHarness) -> str:
    found = admin_harness.bearer("alpha-admin", "GET", "/api/v1/budgets").body["data"]
    return str(found[0]["mail_state"])


def test_a_get_changes_nothing_and_a_post_confirms(admin_harness: AdminHarness) -> None:
    _, token = asked(admin_harness)
    for _ in range(3):
        seen = admin_harness.ask("GET", f"{PATH}?token={token}")
        assert (seen.status, seen.body["state"], seen.body["address"]) == (200, "unconfirmed", BUDGET["mail"])
    assert admin_harness.ask("HEAD", f"{PATH}?token={token}").status == 200
    assert state(admin_harness) == "unconfirmed"
    done = admin_harness.ask("POST", f"{PATH}?token={token}")
    assert (done.status, done.body["state"]) == (200, "confirmed")
    assert state(admin_harness) == "confirmed"
    assert admin_harness.ask("POST", f"{PATH}?token={token}").status == 404


def test_a_browser_gets_a_page_with_a_button(admin_harness: AdminHarness) -> None:
    _, token = asked(admin_harness)
    page = admin_harness.ask("GET", f"{PATH}?token={token}", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<form method="post" action="?token={token}">' in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert state(admin_harness) == "unconfirmed"
    form = (b"content-type", b"application/x-www-form-urlencoded")
    done = admin_harness.ask("POST", f"{PATH}?token={token}", b"", headers=[*BROWSER, form])
    assert "from now on" in done.body
    assert state(admin_harness) == "confirmed"


def test_a_token_cannot_be_guessed_at_leisure(admin_harness: AdminHarness) -> None:
    _, token = asked(admin_harness)
    others = ["", "x", token[:-1], token + "x", "%00" * 43, "%C3%A9", token.swapcase(), "%27%20OR%201=1"]
    statuses = [admin_harness.ask("POST", f"{PATH}?token={other}").status for other in others]
    assert set(statuses) <= {400, 404}
    assert state(admin_harness) == "unconfirmed"
    refused = [admin_harness.ask("POST", f"{PATH}?token={token[::-1]}").status for _ in range(CONFIRMATIONS_PER_MINUTE)]
    assert refused[-1] == 429
    assert admin_harness.ask("POST", f"{PATH}?token={token}").status == 429
    admin_harness.clock.ms += 60_000
    assert admin_harness.ask("POST", f"{PATH}?token={token}").status == 200


def test_what_the_operator_names_needs_no_confirmation(admin_harness: AdminHarness) -> None:
    budget_id, _ = asked(admin_harness)
    admin_harness.clock.ms += 1
    made = admin_harness.operator("POST", "/api/v1/budgets", BUDGET | {"account": admin_harness.accounts["alpha"]})
    assert (made.body["id"], made.body["mail_state"]) == (budget_id, "confirmed")
    assert admin_harness.bearer("beta-admin", "GET", "/api/v1/budgets").body["data"] == []


def test_the_account_sees_no_token(admin_harness: AdminHarness) -> None:
    _, token = asked(admin_harness)
    for target in ("/api/v1/alerts", "/api/v1/budgets", "/api/v1/audit"):
        assert token not in str(admin_harness.bearer("alpha-admin", "GET", target).body)

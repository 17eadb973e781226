"""The reader of a mail address agrees to get an account's alerts: by the link of a mail, and by POST only."""

from tests.admin.desk_at_work import Desks
from tests.office.post_office import Post, send_all
from tollhouse.office.office import CONFIRMATIONS_PER_MINUTE

PATH = "/api/v1/alerts/confirm"
BUDGET = {"amount_usd": "1", "window": "day", "soft": [50], "mail": "stranger@elsewhere.example"}
BROWSER = [(b"accept", b"text/html,application/xhtml+xml,*/*;q=0.8")]


def asked(desks: Desks) -> tuple[str, str]:
    """An account names a stranger. The id of its budget, and the token of the mail that asks."""
    post = desks.office.post = Post()
    made = desks.bearer("alpha-admin", "POST", "/api/v1/budgets", BUDGET | {"account": desks.accounts["alpha"]})
    assert (made.status, made.body["mail_state"]) == (201, "unconfirmed")
    desks.runner.run(send_all(desks.office))
    return made.body["id"], post.sent[-1].text.partition("token=")[2].split()[0]


def state(desks: Desks) -> str:
    found = desks.bearer("alpha-admin", "GET", "/api/v1/budgets").body["data"]
    return str(found[0]["mail_state"])


def test_d5_a_get_changes_nothing_and_a_post_confirms(desks: Desks) -> None:
    _, token = asked(desks)
    for _ in range(3):
        seen = desks.ask("GET", f"{PATH}?token={token}")
        assert (seen.status, seen.body["state"], seen.body["address"]) == (200, "unconfirmed", BUDGET["mail"])
    assert desks.ask("HEAD", f"{PATH}?token={token}").status == 200
    assert state(desks) == "unconfirmed"
    done = desks.ask("POST", f"{PATH}?token={token}")
    assert (done.status, done.body["state"]) == (200, "confirmed")
    assert state(desks) == "confirmed"
    assert desks.ask("POST", f"{PATH}?token={token}").status == 404


def test_a_browser_gets_a_page_with_a_button(desks: Desks) -> None:
    _, token = asked(desks)
    page = desks.ask("GET", f"{PATH}?token={token}", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<form method="post" action="?token={token}">' in page.body
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["referrer-policy"] == "no-referrer"
    assert state(desks) == "unconfirmed"
    form = (b"content-type", b"application/x-www-form-urlencoded")
    done = desks.ask("POST", f"{PATH}?token={token}", b"", headers=[*BROWSER, form])
    assert "from now on" in done.body
    assert state(desks) == "confirmed"


def test_a_token_cannot_be_guessed_at_leisure(desks: Desks) -> None:
    _, token = asked(desks)
    others = ["", "x", token[:-1], token + "x", "%00" * 43, "%C3%A9", token.swapcase(), "%27%20OR%201=1"]
    statuses = [desks.ask("POST", f"{PATH}?token={other}").status for other in others]
    assert set(statuses) <= {400, 404}
    assert state(desks) == "unconfirmed"
    refused = [desks.ask("POST", f"{PATH}?token={token[::-1]}").status for _ in range(CONFIRMATIONS_PER_MINUTE)]
    assert refused[-1] == 429
    assert desks.ask("POST", f"{PATH}?token={token}").status == 429
    desks.clock.ms += 60_000
    assert desks.ask("POST", f"{PATH}?token={token}").status == 200


def test_what_the_operator_names_needs_no_confirmation(desks: Desks) -> None:
    budget_id, _ = asked(desks)
    desks.clock.ms += 1
    made = desks.operator("POST", "/api/v1/budgets", BUDGET | {"account": desks.accounts["alpha"]})
    assert (made.body["id"], made.body["mail_state"]) == (budget_id, "confirmed")
    assert desks.bearer("beta-admin", "GET", "/api/v1/budgets").body["data"] == []


def test_the_account_sees_no_token(desks: Desks) -> None:
    _, token = asked(desks)
    for target in ("/api/v1/alerts", "/api/v1/budgets", "/api/v1/audit"):
        assert token not in str(desks.bearer("alpha-admin", "GET", target).body)

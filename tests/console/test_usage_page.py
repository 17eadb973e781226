"""The usage explorer: what is told apart, over which time, against which other, and what leaves as CSV."""

import csv
import re

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, member
from tollhouse.core.charge import Charge
from tollhouse.core.ids import make_id
from tollhouse.core.roll_up import DAY_MS, HOUR_MS
from tollhouse.core.usage import Usage

MODELS = ("a", "b", "c", "d", "e", "f", "g", "h")
DOLLAR = 1_000_000_000


def spend(admin: AdminHarness, number: int, model: str, usd: int, ago_ms: int = 0, **changed: object) -> None:
    time_ms = admin.clock.ms + number - ago_ms
    admin.call(
        "alpha-live",
        number,
        id=make_id("req", time_ms, number.to_bytes(10, "big")),
        time_ms=time_ms,
        model=model,
        charge=Charge(amount=usd * DOLLAR, price_id=None),
        usage=Usage(input=100 * usd, cache_read=50, output=10),
        **changed,
    )


def totals(html: str) -> list[str]:
    """The figures at the top: spend, requests, failed, tokens in and out."""
    return [re.sub("<[^>]*>", "", found) for found in re.findall(r'<p class="big">(.*?)</p>', html)]


def columns(html: str) -> list[str]:
    return re.findall(r'data-series="\w+">([^<]*)<', html)


def test_six_largest_groups_are_told_apart_and_the_rest_is_one(admin: AdminHarness, owner: Browser) -> None:
    for number, model in enumerate(MODELS, start=1):
        spend(admin, number, model, number)
    spend(admin, 20, "a", 5, ago_ms=7 * DAY_MS)
    html = owner.get("/console/usage").html
    assert columns(html) == ["h", "g", "f", "e", "d", "c", "Other", "Period before"]
    assert totals(html) == ["$36.00", "8", "0", "4,000", "80"]
    assert 'data-value="3"' in html  # a and b together
    assert 'data-value="5"' in html
    assert "620 % more than before" in html
    assert len(re.findall("<tr data-label", html)) == 7


def test_metric_group_and_filters_are_the_address(admin: AdminHarness, owner: Browser) -> None:
    spend(admin, 1, "a", 1)
    spend(admin, 2, "b", 2)
    admin.call("alpha-test", 3, model="t", usage=Usage(input=7))
    assert columns(owner.get("/console/usage?by=key").html)[0] == "alpha-live"
    assert columns(owner.get("/console/usage?by=project").html)[0] == "default"
    assert columns(owner.get("/console/usage?by=tag").html)[0] == "team=Zoll"
    assert columns(owner.get("/console/usage?mode=test&metric=tokens").html)[0] == "t"
    assert totals(owner.get("/console/usage?model=b").html)[0] == "$2.00"
    spend(admin, 4, "c", 4, dialect="anthropic")
    spend(admin, 5, "d", 8, operation="image_edits", dialect="gemini")
    assert columns(owner.get("/console/usage?by=dialect").html)[:3] == ["Gemini", "Anthropic", "OpenAI"]
    html = owner.get("/console/usage?by=operation").html
    assert columns(html)[:2] == ["image edits", "chat"]
    assert "mode=live&amp;operation=image_edits" in html
    assert totals(owner.get("/console/usage?by=key&dialect=anthropic").html)[0] == "$4.00"
    assert totals(owner.get("/console/usage?span=1h&operation=image_edits").html)[0] == "$8.00"
    key = admin.keys["alpha-live"]
    html = owner.get(f"/console/usage?key={key}&metric=tokens&span=30d").html
    assert totals(html)[:2] == ["$15.00", "4"]
    assert f'<option value="{key}" selected>' in html
    assert '<option value="tokens" selected>' in html


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("by=colour", "by: there are"),
        ("metric=x", "metric: there are"),
        ("every=month", "every: there are"),
        ("mode=admin", "mode: there are"),
        ("span=2d", "span: there are"),
        ("from=2026-02-30", "from: "),
        ("from=2026-03-02&to=2026-03-01", "not before"),
        ("span=90d&every=hour", "more than 180 spans"),
        ("span=30d&by=client", "last 24 hours"),
        ("by=tag&model=a", "tags are summed"),
        ("by=tag&operation=chat", "tags are summed"),
        ("dialect=antropic", "did you mean anthropic?"),
        ("operation=embedings", "did you mean embeddings?"),
        ("key=key_none", "no key"),
        (f"key={HOSTILE}", "no key"),
    ],
)
def test_wrong_address_is_told_and_kept(admin: AdminHarness, owner: Browser, asked: str, words: str) -> None:
    reply = owner.get(f"/console/usage?{asked}")
    assert reply.status in (400, 404)
    assert words in reply.html
    assert HOSTILE not in reply.html


def test_key_of_another_account_filters_like_one_that_was_never_made(admin: AdminHarness, owner: Browser) -> None:
    theirs = admin.keys["beta-live"]
    replies = [owner.get(f"/console/usage?key={key}") for key in (theirs, "key_aaaaaaaaaaaaaaaaaaaaaaaaaa")]
    assert [reply.status for reply in replies] == [404, 404]
    assert replies[0].html.replace(theirs, "") == replies[1].html.replace("key_aaaaaaaaaaaaaaaaaaaaaaaaaa", "")


def test_minutes_and_clients_are_read_from_the_calls(admin: AdminHarness, owner: Browser) -> None:
    spend(admin, 0, "a", 1, client="curl 8.5")
    spend(admin, 1, "b", 2, ago_ms=90_000, client="codex 0.169")
    html = owner.get("/console/usage?span=1h").html
    rows = re.findall(r'data-label="([^"]*)"', html)
    assert len(rows) == 61
    assert totals(html)[:2] == ["$3.00", "2"]
    assert columns(owner.get("/console/usage?span=24h&by=client").html) == ["codex 0.169", "curl 8.5"]
    zoomed = owner.get("/console/usage?from=2027-01-15T07:30:00Z&to=2027-01-15T08:30:00Z").html
    assert "Minute" in re.findall(r"<thead><tr><th scope=.col.>(\w+)<", zoomed)


def test_bars_and_rows_lead_to_their_dearest_requests(admin: AdminHarness, owner: Browser) -> None:
    spend(admin, 1, "a&b", 1)
    html = owner.get("/console/usage?span=24h").html
    assert "order=dearest&amp;from=2027-01-15T08%3A00%3A00Z&amp;to=2027-01-15T09%3A00%3A00Z&amp;mode=live" in html
    assert "mode=live&amp;model=a%26b" in html


def test_csv_holds_what_the_page_shows_and_no_formula(admin: AdminHarness, owner: Browser) -> None:
    for number, name in enumerate(("=1+1", "+1", "-1", "@x", "\t=2"), start=1):
        spend(admin, number, name, number)
    spend(admin, 9, "plain", 9)
    reply = owner.get("/console/usage.csv?span=7d&by=model")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="usage.csv"'
    rows = list(csv.DictReader(reply.html.removeprefix("\ufeff").splitlines()))
    assert [row["charge_usd"] for row in rows] == ["9", "5", "4", "3", "2", "1"]
    assert all(not row["model"].startswith(("=", "+", "-", "@", "\t")) for row in rows)
    assert rows[0]["from"] == "2027-01-15T00:00:00+00:00"
    assert owner.get("/console/usage.csv?by=colour").status == 400


def test_hostile_model_stays_text(admin: AdminHarness, owner: Browser) -> None:
    spend(admin, 1, HOSTILE, 1)
    outline = Outline(owner.get("/console/usage").html)
    assert outline.inline_scripts == 0


def test_days_are_those_of_the_account_s_zone(admin: AdminHarness, owner: Browser) -> None:
    admin.operator("POST", f"/api/v1/accounts/{admin.accounts['alpha']}", {"zone": "Asia/Kathmandu"})
    spend(admin, 0, "a", 1)
    spend(admin, 1, "b", 2, ago_ms=14 * HOUR_MS)  # 2027-01-14 18:00 UTC is 23:45 there
    html = owner.get("/console/usage").html
    assert "Times of Asia/Kathmandu" in html
    shown = dict(re.findall(r'<tr data-label="([^"]*)".*?<td class="number">.*?value="([^"]*)"', html))
    assert (shown["01-14"], shown["01-15"]) == ("2", "1")


def test_viewer_may_look(admin: AdminHarness) -> None:
    browser = Browser(admin)
    browser.sign_in(member(admin, "alpha", "viewer"))
    assert browser.get("/console/usage").status == 200

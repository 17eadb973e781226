"""The list of requests, its filters and its order, and what a receipt says of one."""

import re

import pytest

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, Browser, Outline, of_platform
from tollhouse.console.pages.request import timeline
from tollhouse.console.pages.requests import LOOKED_AT_MAX
from tollhouse.core.charge import Charge
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Attempt, BudgetSnapshot, FailureDetail, LimitSnapshot, UsageRecord
from tollhouse.services.receipts import ReceiptFilter, dearest

DOLLAR = 1_000_000_000


def listed(html: str) -> list[str]:
    return re.findall(r'<tr id="(req_\w+)">', html)


def failed(admin: AdminHarness, number: int, **changed: object) -> UsageRecord:
    detail = FailureDetail(message="The model `x` does not exist.", model="x", address="203.0.113.9")
    fields = {"status": 404, "error": "model_not_found", "ending": "refused", "usage": Usage(), "charge": None}
    return admin.call("alpha-live", number, **{**fields, "detail": detail, "attempts": (), **changed})


def test_filters_find_what_they_name(admin: AdminHarness, owner: Browser) -> None:
    made = {
        "whole": admin.call("alpha-live", 1, model="gpt-4o", client="curl 8.5"),
        "other": admin.call("alpha-test", 2, model="o3", client="codex 0.169"),
        "lost": failed(admin, 3),
        "broken": failed(admin, 4, status=502, error="upstream_error", dialect="gemini"),
    }
    ids = {name: call.id for name, call in made.items()}

    def found(query: str) -> list[str]:
        shown = listed(owner.get(f"/console/requests?{query}").html)
        return [name for name in ids if ids[name] in shown]

    assert found("") == ["whole", "other", "lost", "broken"]
    assert found("status=failed") == ["lost", "broken"]
    assert found("status=5xx") == ["broken"]
    assert found("status=404") == ["lost"]
    assert found("error=upstream_error") == ["broken"]
    assert found("model=gpt*") == ["whole", "lost", "broken"]
    assert found("client=codex+0.169") == ["other"]
    assert found("mode=test") == ["other"]
    assert found("dialect=gemini") == ["broken"]
    assert found("dialect=nobody") == []
    assert found(f"key={admin.keys['alpha-test']}") == ["other"]
    assert found("from=2027-01-15T08:00:00.001Z") == []
    assert found("from=2027-01-15&to=2027-01-15") == ["whole", "other", "lost", "broken"]
    assert found("to=2027-01-14") == []
    assert listed(owner.get("/console/requests").html)[0] == ids["broken"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("status=many", "status:"),
        ("mode=admin", "mode: there are"),
        ("from=yesterday", "from: "),
        ("key=key_none", "no key"),
        ("after=x", "no cursor"),
        ("id=abc", "no id of a request"),
        (f"status={HOSTILE}", "status:"),
    ],
)
def test_wrong_filter_is_told_and_kept(owner: Browser, query: str, words: str) -> None:
    reply = owner.get(f"/console/requests?{query}")
    assert reply.status in (400, 404)
    assert words in reply.html
    assert HOSTILE not in reply.html


def test_failed_call_costs_nothing_and_says_why(admin: AdminHarness, owner: Browser) -> None:
    call = failed(admin, 1)
    row = owner.get("/console/requests").html
    assert "model_not_found" in row
    assert "$0.00" in row
    assert "The model `x` does not exist." in row
    page = owner.get(f"/console/requests/{call.id}").html
    for words in (
        "This platform refused the call; nothing was charged.",
        "The model `x` does not exist.",
        "use an id from <code>GET /v1/models</code>, spelled exactly so",
        "203.0.113.9",
    ):
        assert words in page


def test_older_link_keeps_the_filters(admin: AdminHarness, owner: Browser) -> None:
    for number in range(1, 53):
        admin.call("alpha-live", number, client="a&b")
    html = owner.get("/console/requests?client=a%26b&mode=live").html
    assert len(listed(html)) == 50
    older = re.findall(r'href="([^"]*)" rel="next"', html)[0].replace("&amp;", "&")
    assert "client=a%26b&mode=live&after=" in older
    assert len(listed(owner.get(older).html)) == 2


def test_search_that_finds_little_stops_and_says_where(admin: AdminHarness, owner: Browser) -> None:
    first = admin.call("alpha-live", 1, client="rare")
    admin.call_many("alpha-live", LOOKED_AT_MAX)
    html = owner.get("/console/requests?client=rare").html
    assert listed(html) == []
    assert "None of the calls that were looked through fits." in html
    further = re.findall(r'href="([^"]*)" rel="next"', html)[0].replace("&amp;", "&")
    assert listed(owner.get(further).html) == [first.id]


def test_dearest_come_first_and_free_ones_not_at_all(admin: AdminHarness, owner: Browser) -> None:
    ids = {}
    for number, usd in enumerate((3, 9, 1, 5), start=1):
        charge = Charge(amount=usd * DOLLAR, price_id=None)
        ids[usd] = admin.call("alpha-live", number, charge=charge, client="curl 8.5", model="gpt-4o").id
    failed(admin, 9)
    admin.call("beta-live", 10, charge=Charge(amount=50 * DOLLAR, price_id=None))
    shown = listed(owner.get("/console/requests?order=dearest").html)
    assert shown == [ids[9], ids[5], ids[3], ids[1]]
    filtered = f"order=dearest&client=curl+8.5&model=gpt*&mode=live&status=2xx&key={admin.keys['alpha-live']}"
    assert listed(owner.get(f"/console/requests?{filtered}").html) == shown
    assert listed(owner.get("/console/requests?order=dearest&to=2027-01-14").html) == []
    assert listed(owner.get("/console/requests?order=dearest&model=o3").html) == []
    told = admin.bearer("alpha-admin", "GET", "/api/v1/requests?order=dearest&limit=2").body["data"]
    assert [one["id"] for one in told] == shown[:2]


def test_dearest_of_many_calls_are_looked_for_in_turns(admin: AdminHarness) -> None:
    ids = []
    for number, usd in enumerate((7, 9, 1, 5, 2), start=1):
        ids.append(admin.call("alpha-live", number, charge=Charge(amount=usd * DOLLAR, price_id=None)).id)
    wanted = ReceiptFilter(account_id=admin.accounts["alpha"])
    seen, after = [], None
    for _ in range(3):
        found = admin.runner.run(dearest(admin.services, wanted, after=after, most_looked_at=2))
        seen.append([call.id for call in found.records])
        after = found.next
    assert seen == [[ids[3], ids[4]], [ids[1], ids[2]], [ids[0]]]
    assert after is None
    assert admin.runner.run(dearest(admin.services, wanted, most_looked_at=5)).next is None


def test_id_is_jumped_to(admin: AdminHarness, owner: Browser) -> None:
    call = admin.call("alpha-live")
    assert owner.get(f"/console/requests?id={call.id}").headers["location"] == f"/console/requests/{call.id}"


def test_receipt_says_what_was_held_charged_and_passed(admin: AdminHarness, owner: Browser) -> None:
    call = admin.call(
        "alpha-live",
        charge=Charge(amount=2 * DOLLAR, price_id=None, held=5 * DOLLAR, overrun=0),
        usage=Usage(input=1_000, output=412),
        usage_source="counted",
        doubt="impossible",
        raw_usage=b'{"prompt_tokens": -3, "note": "<b>"}',
        limits=(LimitSnapshot("requests_per_minute", "key", 100, 3, 4, ""),),
        counters=(BudgetSnapshot("account", "money", "", 9 * DOLLAR, DOLLAR, 0, 3 * DOLLAR, ""),),
        last_byte_ms=3_100,
        settled_ms=3_101,
    )
    page = owner.get(f"/console/requests/{call.id}").html
    for words in (
        "gpt-4o streamed 412 tokens in 3.10 s, for $2.00.",
        "It took 2 tries.",
        "counted here",
        "The provider reported more than the model can read or write.",
        "&#34;prompt_tokens&#34;: -3",
        "requests per minute",
        "$5.00",
        "$3.00",
    ):
        assert words in page
    assert "<b>" not in page
    for hidden in ("main", "upstream_error</span> <"):
        assert hidden not in re.findall(r'<table class="timeline">.*?</table>', page, re.DOTALL)[0]
    operator = Browser(admin)
    operator.sign_in(of_platform(admin))
    path = operator.get(f"/console/requests/{call.id}").headers["location"]
    assert path == f"/console/platform/requests/{call.id}"
    assert "main" in operator.get(path).html
    operator.get("/console/platform/accounts")
    operator.post(f"/console/platform/accounts/{call.account_id}/act")
    assert "main" in operator.get(f"/console/requests/{call.id}").html


@pytest.mark.parametrize(
    ("operation", "used", "said"),
    [
        ("images", {"images": 1, "image_out": 1_056}, "made 1 image in"),
        ("image_edits", {"images": 2}, "made 2 images in"),
        ("transcriptions", {"seconds": 61}, "heard 61 s of sound in"),
        ("speech", {"characters": 1_200, "audio_out": 9}, "spoke 1,200 characters in"),
        ("speech", {"audio_out": 9}, "answered 9 tokens in"),
        ("embeddings", {"input": 24}, "read 24 tokens in"),
        ("rerank", {"input": 24, "requests": 1}, "read 24 tokens in"),
        ("chat", {"input": 24, "output": 7}, "streamed 7 tokens in"),
    ],
)
def test_receipt_says_what_an_operation_gave(
    admin: AdminHarness, owner: Browser, operation: str, used: dict[str, int], said: str
) -> None:
    call = admin.call("alpha-live", operation=operation, usage=Usage(**used))
    assert f"gpt-4o {said} " in owner.get(f"/console/requests/{call.id}").html


def test_translated_call_says_how_its_provider_was_asked_and_what_was_not_passed_on(
    admin: AdminHarness, owner: Browser
) -> None:
    attempts = (Attempt(provider="main", model="m", status=200, format="openai_chat", start_ms=1, end_ms=9),)
    call = admin.call("alpha-live", dialect="anthropic", attempts=attempts, dropped="top_k, tools[0].%3Cb%3E")
    page = owner.get(f"/console/requests/{call.id}").html
    for words in ("Anthropic, chat", "Chat completions", "the call was translated", "<code>top_k</code>", "%3Cb%3E"):
        assert words in page
    plain = owner.get(f"/console/requests/{admin.call('alpha-live', 2).id}").html
    assert "translated" not in plain
    assert "Not passed on" not in plain


def test_timeline_shows_each_try_in_its_place(admin: AdminHarness) -> None:
    call = admin.call(
        "alpha-live",
        attempts=(
            Attempt(provider="a", model="m", status=429, error="rate_limit_exceeded", start_ms=10, end_ms=100),
            Attempt(provider="b", model="m", status=200, start_ms=100, first_byte_ms=500, end_ms=1_000),
        ),
        admitted_ms=10,
        first_byte_ms=500,
        last_byte_ms=1_000,
        settled_ms=1_000,
    )
    rows = timeline(call, shows_provider=True)
    assert [(row.step, row.attempt, row.provider) for row in rows] == [
        ("admitted", 0, ""), ("attempt", 1, "a"), ("attempt", 2, "b"), ("sent", 0, ""), ("settled", 0, ""),
    ]  # fmt: skip
    assert [(one.kind, one.x, one.width) for one in rows[2].stretches] == [("waiting", 100, 400), ("reading", 500, 500)]
    assert timeline(call, shows_provider=False)[1].provider == ""


@pytest.mark.parametrize("operation", ["chat", "completions", "responses", "embeddings", "moderations"])
def test_call_can_be_copied_without_its_content_and_key(admin: AdminHarness, owner: Browser, operation: str) -> None:
    call = admin.call("alpha-live", operation=operation, model='it\'s "m"', stream=operation == "chat")
    page = owner.get(f"/console/requests/{call.id}").html
    assert "$TOLLHOUSE_API_KEY" in page
    assert "YOUR TEXT" in page
    assert "it&#39;\\&#39;&#39;s" in page  # a quote ends the shell's word, and another begins
    assert admin.secrets["alpha-live"] not in page


def test_hostile_texts_of_a_call_stay_texts(admin: AdminHarness, owner: Browser) -> None:
    detail = FailureDetail(message=HOSTILE, model=HOSTILE, address="::1")
    call = failed(
        admin, 1, model=HOSTILE, client=HOSTILE, tags={HOSTILE: HOSTILE}, raw_usage=HOSTILE.encode(), detail=detail
    )
    for path in ("/console/requests", f"/console/requests/{call.id}"):
        outline = Outline(owner.get(path).html)
        assert outline.inline_scripts == 0

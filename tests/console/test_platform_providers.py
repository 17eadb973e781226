"""Providers, models and prices, as those who run the platform see them."""

from tests.admin.destinations import Answering, destination
from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE
from tests.console.platform import OFFERS, PROVIDER_ONE, furnished, signed_in
from tests.console.test_pages import require_sound
from tollhouse.core.charge import Charge
from tollhouse.core.failure import UpstreamUnreachable
from tollhouse.core.usage_record import Attempt, FailureDetail

PROVIDERS = "/console/platform/providers"
MODELS = "/console/platform/models"
PRICES = "/console/platform/prices"
FAILED = Attempt(provider="one", model="up-one", status=500, error="upstream_error", start_ms=1, end_ms=30)
ANSWERED = Attempt(provider="two", model="up-two", start_ms=31, first_byte_ms=131, end_ms=200)


def test_list_tells_health_and_figures_of_the_last_calls(admin: AdminHarness) -> None:
    gateway = furnished(admin)
    admin.call("alpha-live", attempts=(FAILED, ANSWERED))
    now_ms = admin.clock.now_ms()
    for _ in range(5):
        gateway.health.failed("acc_x", OFFERS[0], 0, UpstreamUnreachable("no"), "offer", None, now_ms)
    html = signed_in(admin, gateway).get(PROVIDERS).html
    require_sound(html)
    assert "kept away" in html
    assert "100.0 %" in html
    assert "no trouble" in html


def test_one_tells_its_words_what_depends_on_it_and_that_the_file_sets_it(admin: AdminHarness) -> None:
    gateway = furnished(admin)
    admin.call(
        "alpha-live",
        status=502,
        error="upstream_error",
        attempts=(FAILED,),
        detail=FailureDetail(provider_words=f"quota {HOSTILE}"),
    )
    gateway.gateway.troubles.note("one", "up-one", f"bad key {HOSTILE}", admin.clock.now_ms())
    browser = signed_in(admin, gateway)
    html = browser.get(f"{PROVIDERS}/one").html
    require_sound(html)
    assert HOSTILE not in html
    for words in ("bad key", "quota", "house-1", "platform.toml sets this provider", "chat"):
        assert words in html
    html = browser.get(f"{PROVIDERS}/two").html
    assert "Nobody else serves" in html
    assert browser.get(f"{PROVIDERS}/three").status == 404


def test_check_shows_what_each_key_met(admin: AdminHarness) -> None:
    gateway, upstream = furnished(admin), Answering(401, [])
    gateway.gateway.destinations = {"one": destination(PROVIDER_ONE, ("sk-hidden-key",), upstream)}
    browser = signed_in(admin, gateway)
    browser.get(f"{PROVIDERS}/one")
    reply = browser.post(f"{PROVIDERS}/one/check")
    assert reply.status == 200
    require_sound(reply.html)
    assert "key 1" in reply.html
    assert "refuses the key" in reply.html
    assert "sk-hidden-key" not in reply.html
    assert len(upstream.asked) == 1
    viewer = signed_in(admin, gateway, "viewer")
    assert "Check now" not in viewer.get(f"{PROVIDERS}/one").html
    assert viewer.post(f"{PROVIDERS}/one/check").status == 403


def test_without_a_server_nothing_is_known(admin: AdminHarness) -> None:
    furnished(admin)
    assert "No server runs here" in signed_in(admin).get(PROVIDERS).html


def test_models_show_what_is_sold_below_cost_first_and_what_has_no_price(admin: AdminHarness) -> None:
    browser = signed_in(admin, furnished(admin))
    html = browser.get(MODELS).html
    require_sound(html)
    assert html.index("below cost") < html.index("no price") < html.index("gift")
    shown = browser.get(f"{MODELS}?model=house-1").html
    require_sound(shown)
    assert "of one/up-one by list default" in shown
    assert "Its prices" in shown
    assert browser.get(f"{MODELS}?model=nothing").status == 404


def test_cost_is_seen_by_those_who_may(admin: AdminHarness) -> None:
    gateway = furnished(admin)
    for role, sees in (("finance", True), ("support", False), ("viewer", False)):
        html = signed_in(admin, gateway, role).get(f"{MODELS}?model=house-1").html
        assert ("Margin" in html) is sees
        assert ("Sold below cost" in html) is sees


def test_prices_are_brought_previewed_and_put_in_force(admin: AdminHarness) -> None:
    browser = signed_in(admin, furnished(admin))
    admin.call("alpha-live", model="house-1", charge=Charge(amount=7, price_id=None))
    admin.clock.ms += 1_000
    require_sound(browser.get(PRICES).html)
    wrong = browser.post(PRICES, list="gold", prices="model,input\nhouse-1,plenty")
    assert wrong.status == 400
    require_sound(wrong.html)
    assert "house-1,plenty" in wrong.html
    path = browser.post(PRICES, list="gold", prices="model,input,output\nhouse-1,5.00,20.00").headers["location"]
    draft = browser.get(path).html
    require_sound(draft)
    assert "not in this list" in draft
    assert "Put in force" in draft
    preview = browser.get(f"{path}?days=7").html
    require_sound(preview)
    assert "alpha" in preview
    assert browser.get(f"{path}?days=8").status == 400
    past = browser.post(f"{path}/activate", at="2001-01-01")
    assert past.status == 400
    assert 'value="2001-01-01"' in past.html
    assert browser.post(f"{path}/activate").headers["location"] == path
    assert "In force since" in browser.get(path).html
    assert "house-1" in browser.get(f"{PRICES}?list=gold").html
    assert browser.post(f"{path}/activate").status == 409
    assert browser.get(f"{PRICES}/draft_none").status == 404


def test_hostile_prices_are_escaped(admin: AdminHarness) -> None:
    browser = signed_in(admin, furnished(admin))
    sent = browser.post(PRICES, list="gold", prices=f'{{"{"x"}": {{"input": "<script>"}}}}')
    assert sent.status == 400
    require_sound(sent.html)


def test_support_brings_no_prices(admin: AdminHarness) -> None:
    browser = signed_in(admin, furnished(admin), "support")
    assert "Bring new prices" not in browser.get(PRICES).html
    assert browser.post(PRICES, list="gold", prices="x").status == 403

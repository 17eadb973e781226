"""All requests with the provider's view, for those who run the platform."""

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE, Browser, of_platform
from tests.console.test_pages import require_sound
from tollhouse.core.charge import Charge
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Attempt, FailureDetail

REQUESTS = "/console/platform/requests"
USD = 1_000_000_000


def signed_in(admin: AdminHarness, role: str = "operator") -> Browser:
    browser = Browser(admin)
    browser.sign_in(of_platform(admin, role))
    browser.get(REQUESTS)
    return browser


def test_calls_of_every_account_and_of_nobody_are_listed_and_filtered(admin: AdminHarness) -> None:
    first, second = admin.call("alpha-live"), admin.call("beta-live", 2)
    nobody = admin.call(
        "alpha-live",
        3,
        account_id="",
        project_id="",
        key_id="",
        status=401,
        error="invalid_api_key",
        ending="refused",
        usage=Usage(),
        charge=None,
        detail=FailureDetail(message=HOSTILE, address="198.51.100.9"),
    )
    browser = signed_in(admin)
    html = browser.get(REQUESTS).html
    require_sound(html)
    for call in (first, second, nobody):
        assert f"{REQUESTS}/{call.id}" in html
    assert "198.51.100.9" in html
    only = browser.get(f"{REQUESTS}?account=beta").html
    assert second.id in only
    assert first.id not in only
    assert nobody.id in browser.get(f"{REQUESTS}?account=nobody").html
    assert first.id not in browser.get(f"{REQUESTS}?account=nobody").html
    assert browser.get(f"{REQUESTS}?account=gamma").status == 404
    require_sound(browser.get(f"{REQUESTS}/{nobody.id}").html)


def test_receipt_tells_attempts_and_the_provider_s_words(admin: AdminHarness) -> None:
    call = admin.call(
        "alpha-live",
        status=502,
        error="upstream_error",
        attempts=(Attempt(provider="main", model="up", status=500, error="upstream_error", start_ms=1, end_ms=9),),
        detail=FailureDetail(message="it failed", provider_words="out of cheese"),
    )
    html = signed_in(admin, "viewer").get(f"{REQUESTS}/{call.id}").html
    require_sound(html)
    for words in ("out of cheese", "main", "alpha", admin.keys["alpha-live"]):
        assert words in html


def test_call_is_refunded_once(admin: AdminHarness) -> None:
    call = admin.call("alpha-live", charge=Charge(amount=2 * USD, price_id="price_1"))
    browser, path = signed_in(admin), f"{REQUESTS}/{call.id}"
    assert "Give it back" in browser.get(path).html
    wrong = browser.post(f"{path}/refund", amount_usd="3", reason="sorry")
    assert wrong.status == 400
    assert 'value="sorry"' in wrong.html
    assert browser.post(f"{path}/refund", amount_usd="0.5", reason="sorry").status == 303
    html = browser.get(path).html
    assert "Refunded" in html
    assert "Give it back" not in html
    assert browser.post(f"{path}/refund", amount_usd="1").status == 409


def test_support_refunds_nothing(admin: AdminHarness) -> None:
    call = admin.call("alpha-live", charge=Charge(amount=2 * USD, price_id="price_1"))
    browser = signed_in(admin, "support")
    assert "Give it back" not in browser.get(f"{REQUESTS}/{call.id}").html
    assert browser.post(f"{REQUESTS}/{call.id}/refund").status == 403

"""Incidents, the audit of the platform and the state of the installation."""

from tests.admin.harness import AdminHarness
from tests.console.harness import HOSTILE
from tests.console.platform import OFFERS, furnished, signed_in
from tests.console.test_pages import require_sound
from tollhouse.core.failure import UpstreamUnreachable
from tollhouse.core.usage_record import Attempt, FailureDetail

INCIDENTS = "/console/platform/incidents"
AUDIT = "/console/platform/audit"
SYSTEM = "/console/platform/system"


def failed(end_ms: int) -> Attempt:
    return Attempt(provider="one", model="up-one", status=500, error="upstream_error", start_ms=1, end_ms=end_ms)


def test_failures_close_together_are_one_incident(admin: AdminHarness) -> None:
    gateway = furnished(admin)
    admin.call("alpha-live", 1, attempts=(failed(10),))
    ended = {"status": 502, "error": "upstream_error", "detail": FailureDetail(provider_words=f"full {HOSTILE}")}
    admin.call("beta-live", 2, attempts=(failed(20),), **ended)
    admin.call("beta-live", 700_000, attempts=(failed(5),), **ended)
    admin.clock.ms += 800_000
    for _ in range(5):
        gateway.health.failed("acc_x", OFFERS[0], 0, UpstreamUnreachable("no"), "offer", None, admin.clock.ms)
    gateway.gateway.troubles.note("one", "up-one", "bad key", admin.clock.ms)
    html = signed_in(admin, gateway, "viewer").get(INCIDENTS).html
    require_sound(html)
    assert HOSTILE not in html
    assert html.count("<code>upstream_error</code>") == 2
    for words in ("bad key", "tried again at", "From the records of 3 calls"):
        assert words in html


def test_without_incidents_it_says_so(admin: AdminHarness) -> None:
    html = signed_in(admin, furnished(admin)).get(INCIDENTS).html
    require_sound(html)
    assert "Nothing keeps calls away" in html
    assert "No try at a provider failed" in html
    assert "No server runs here" in signed_in(admin, role="finance").get(INCIDENTS).html


def test_audit_is_narrowed_to_an_account_and_an_object(admin: AdminHarness) -> None:
    browser = signed_in(admin)
    html = browser.get(AUDIT).html
    require_sound(html)
    assert admin.keys["beta-live"] in html
    only = browser.get(f"{AUDIT}?account=alpha").html
    assert admin.keys["alpha-live"] in only
    assert admin.keys["beta-live"] not in only
    assert "key.create" in browser.get(f"{AUDIT}?object={admin.keys['beta-live']}").html
    assert browser.get(f"{AUDIT}?account=nobody").status == 404
    assert signed_in(admin, role="viewer").get(AUDIT).status == 403


def test_system_tells_version_generation_queues_and_database(admin: AdminHarness) -> None:
    html = signed_in(admin, furnished(admin), "viewer").get(SYSTEM).html
    require_sound(html)
    for words in ("9.9", "generation 4", "MB", "5.0 GB free", "kept for 90 days", "1 session"):
        assert words in html
    assert "Run the checks" not in html


def test_checks_of_doctor_run_on_demand(admin: AdminHarness) -> None:
    browser = signed_in(admin, furnished(admin))
    reply = browser.post(f"{SYSTEM}/examine")
    assert reply.status == 200
    require_sound(reply.html)
    for words in ("Some checks are not good", "2 % is free", "make room"):
        assert words in reply.html
    assert signed_in(admin, role="viewer").post(f"{SYSTEM}/examine").status == 403


def test_system_is_shown_where_no_server_runs(admin: AdminHarness) -> None:
    html = signed_in(admin).get(SYSTEM).html
    require_sound(html)
    assert "No server runs here" in html

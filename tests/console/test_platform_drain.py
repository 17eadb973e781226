"""A provider that is drained takes no new calls: for the API, the command and the pages, over restarts."""

from tests.admin.harness import AdminHarness
from tests.console import platform
from tests.console.harness import HOSTILE, Browser


def test_drain_is_told_audited_and_ended(admin: AdminHarness) -> None:
    platform.furnished(admin)
    made = admin.operator("POST", "/api/v1/providers/one/drain", {"reason": "they move house"})
    assert (made.status, made.body["object"], made.body["reason"]) == (200, "provider_drain", "they move house")
    assert admin.operator("GET", "/api/v1/providers/one").body["drain"]["since"] == made.body["since"]
    admin.clock.ms += 1_000
    again = admin.operator("POST", "/api/v1/providers/one/drain", {})
    assert (again.body["since"], again.body["reason"]) == (made.body["since"], "")
    assert admin.operator("POST", "/api/v1/providers/one/resume").status == 200
    assert admin.operator("POST", "/api/v1/providers/one/resume").status == 200
    assert admin.operator("GET", "/api/v1/providers/one").body["drain"] is None
    rows = admin.operator("GET", "/api/v1/audit?object=one").body["data"]
    assert [row["action"] for row in rows] == ["provider.resume", "provider.drain", "provider.drain"]


def test_drain_outlives_a_restart(admin: AdminHarness) -> None:
    platform.furnished(admin)
    admin.operator("POST", "/api/v1/providers/two/drain", {"reason": "x"})
    assert list(admin.runner.run(admin.store.load_drains())) == ["two"]


def test_unknown_provider_and_others_than_the_operator_drain_nothing(admin: AdminHarness) -> None:
    platform.furnished(admin)
    for path in ("drain", "resume"):
        assert admin.operator("POST", f"/api/v1/providers/nobody/{path}", {} if path == "drain" else None).status == 404
        assert admin.bearer("alpha-admin", "POST", f"/api/v1/providers/one/{path}").status in (403, 404)
    assert admin.services.drains == {}


def test_page_drains_and_resumes(admin: AdminHarness) -> None:
    gateway = platform.furnished(admin)
    operator = platform.signed_in(admin, gateway)
    html = operator.get("/console/platform/providers/one").html
    assert "Take it out of use" in html
    reply = operator.post("/console/platform/providers/one/drain", reason=HOSTILE)
    assert reply.headers["location"] == "/console/platform/providers/one"
    html = operator.get("/console/platform/providers/one").html
    assert "No new call goes to it since" in html
    assert "<script>alert" not in html
    assert "drained" in operator.get("/console/platform/providers").html
    operator.post("/console/platform/providers/one/resume")
    assert admin.services.drains == {}
    support: Browser = platform.signed_in(admin, gateway, "support")
    assert support.post("/console/platform/providers/one/drain").status == 403

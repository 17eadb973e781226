"""Limits over the control API: set, shown as they stand, removed."""

import pytest
from msgspec import structs

from tests.admin.harness import AdminHarness
from tollhouse.core.catalogue import Model, Plan


def with_plan(admin_harness: AdminHarness) -> None:
    plans = {"default": Plan(id="default", requests_per_minute=500)}
    models = {"house-1": Model(id="house-1")}
    admin_harness.services.catalogue = structs.replace(admin_harness.services.catalogue, plans=plans, models=models)


def test_limits_are_set_shown_and_removed(admin_harness: AdminHarness) -> None:
    with_plan(admin_harness)
    account = admin_harness.accounts["alpha"]
    given = {"account": "alpha", "requests_per_minute": 900, "parallel_requests": 7, "until": "7d", "note": "launch"}
    made = admin_harness.operator("POST", "/api/v1/limits", given)
    assert made.status == 201
    raised = {
        "object": "limit",
        "id": made.body["data"][0]["id"],
        "name": "requests_per_minute",
        "level": "account",
        "of_id": account,
        "model": None,
        "limit": 900,
        "used": 0,
        "remaining": 900,
        "reset_ms": 0,
        "until": "2027-01-22T08:00:00Z",
        "note": "launch",
        "source": "rule",
        "holds": True,
    }
    assert made.body["data"][0] == raised
    (in_flight, _) = sorted(made.body["data"], key=lambda one: str(one["name"]))
    assert (in_flight["limit"], in_flight["reset_ms"]) == (7, None)
    shown = admin_harness.bearer("alpha-admin", "GET", "/api/v1/limits").body["data"]
    assert [(one["name"], one["limit"], one["source"]) for one in shown] == [
        ("requests_per_minute", 900, "rule"),
        ("parallel_requests", 7, "rule"),
    ]
    admin_harness.clock.ms += 7 * 86_400_000
    shown = admin_harness.operator("GET", "/api/v1/limits?account=alpha").body["data"]
    assert sorted((one["limit"], one["source"], one["holds"]) for one in shown) == [
        (7, "rule", False),
        (500, "plan", True),
        (900, "rule", False),
    ]
    for one in made.body["data"]:
        assert admin_harness.operator("POST", f"/api/v1/limits/{one['id']}/remove", {}).body["id"] == one["id"]
    assert len(admin_harness.operator("GET", "/api/v1/limits?account=alpha").body["data"]) == 1


def test_a_model_and_the_model_of_a_key(admin_harness: AdminHarness) -> None:
    with_plan(admin_harness)
    admin_harness.operator("POST", "/api/v1/limits", {"model": "house-1", "parallel_requests": 5})
    admin_harness.bearer(
        "alpha-admin", "POST", "/api/v1/limits", {"key": "alpha-live", "model": "house-*", "tokens_per_minute": 10}
    )
    of_model = admin_harness.operator("GET", "/api/v1/limits?model=house-1").body["data"]
    assert [(one["level"], one["of_id"], one["limit"]) for one in of_model] == [("model", "house-1", 5)]
    for asked in ("/api/v1/limits?key=alpha-live&model=house-1", "/api/v1/limits?key=alpha-live"):
        levels = [one["level"] for one in admin_harness.operator("GET", asked).body["data"]]
        assert levels == (["key", "model", "account"] if "model" in asked else ["key", "account"])


def test_an_api_key_sees_what_limits_itself_and_an_owner_not_anothers(admin_harness: AdminHarness) -> None:
    with_plan(admin_harness)
    admin_harness.bearer("alpha-admin", "POST", "/api/v1/limits", {"key": "alpha-live", "tokens_per_minute": 10})
    (own, plans) = admin_harness.bearer(
        "alpha-live", "GET", f"/api/v1/limits?key={admin_harness.keys['beta-live']}"
    ).body["data"]
    assert (own["of_id"], plans["of_id"]) == (admin_harness.keys["alpha-live"], admin_harness.accounts["alpha"])
    assert admin_harness.bearer("beta-admin", "GET", "/api/v1/limits?key=alpha-live").status == 404
    refused = admin_harness.bearer(
        "alpha-admin", "POST", "/api/v1/limits", {"account": "alpha", "requests_per_minute": 9_999}
    )
    assert (refused.status, refused.code) == (403, "scope_missing")


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"account": "alpha"}, "limits"),
        ({"account": "alpha", "requests_per_minute": "5"}, "requests_per_minute"),
        ({"account": "alpha", "requests_per_minute": -5}, "requests_per_minute"),
        ({"account": "alpha", "requests_per_minute": 1.5}, "requests_per_minute"),
        ({"account": "alpha", "requests_per_minute": 5, "until": "2020-01-01"}, "until"),
        ({"account": "alpha", "requests_per_minute": 5, "until": "soon"}, "until"),
        ({"account": "alpha", "key": "alpha-live", "requests_per_minute": 5}, "account"),
        ({"requests_per_minute": 5}, "account"),
        ({"account": "alpha", "requests_per_hour": 5}, "requests_per_hour"),
        ({"account": "alpha", "limits": {"requests_per_hour": 5}}, "limits"),
        ({"account": "alpha", "limits": {"requests_per_minute": -5}}, "requests_per_minute"),
    ],
)
def test_what_is_no_limit_names_the_field(admin_harness: AdminHarness, given: dict[str, object], param: str) -> None:
    refused = admin_harness.operator("POST", "/api/v1/limits", given)
    assert (refused.status, refused.body["error"]["param"]) == (400, param)


def test_a_limit_of_any_kind_is_set_by_its_name(admin_harness: AdminHarness) -> None:
    given = {"account": "alpha", "parallel_requests": 7, "limits": {"tokens_per_minute": 900}}
    made = admin_harness.operator("POST", "/api/v1/limits", given)
    assert made.status == 201
    assert {one["name"]: one["limit"] for one in made.body["data"]} == {
        "tokens_per_minute": 900,
        "parallel_requests": 7,
    }

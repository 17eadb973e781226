"""Nobody sets what is not theirs to set: no field that a route does not name, and none that their role may not give."""

from typing import Any

import pytest
from msgspec import structs

from tests.admin.harness import TABLE, AdminHarness
from tests.console.harness import member, of_platform
from tests.console.platform import OFFERS, PRICED, furnished
from tests.console.test_control_api import SessionCaller
from tollhouse.core.catalogue import Model
from tollhouse.core.charge import Charge
from tollhouse.core.usage import Usage
from tollhouse.edge.admin.route import AdminRoute
from tollhouse.edge.admin.table import called

BODIES = [pytest.param(one, id=one.name) for one in TABLE if one.method == "POST" and not one.takes_file]
OF_RECORDS = (
    *("id", "object", "account_id", "project_id", "made_by", "created_at", "created_at_ms", "state", "balance", "held"),
    *("charge", "role_of", "digest", "secrets", "password_hash", "totp", "factor", "managed_by", "multiplier_ppm"),
)
"""Fields of records and of answers, which a request may not bring."""


@pytest.mark.parametrize("route", BODIES)
def test_field_that_a_route_does_not_name_is_refused(admin_harness: AdminHarness, route: AdminRoute) -> None:
    named = set(route.takes.__struct_encode_fields__)
    for name in OF_RECORDS:
        if name not in named:
            reply = ask_as_operator(admin_harness, route, {name: "x"})
            assert (reply.status, reply.body["error"]["param"]) == (400, name), (route.name, name)


def ask_as_operator(admin_harness: AdminHarness, route: AdminRoute, body: dict[str, Any]) -> Any:
    path = route.path.replace("{id}", "alpha-live")
    if route.takes_query:
        (given,) = body.items()
        return admin_harness.operator(route.method, f"{path}?{given[0]}={given[1]}")
    return admin_harness.operator(route.method, path, body)


NOT_AN_OWNER_S: tuple[tuple[str, dict[str, Any]], ...] = (
    ("budgets.set", {"account": "alpha", "amount_usd": "1", "window": "day", "system": True}),
    ("people.invite", {"email": "new@alpha.example", "role": "operator", "platform": True}),
    ("people.invite", {"email": "new@alpha.example", "role": "owner", "new_account": True}),
    ("people.invite", {"email": "new@alpha.example", "role": "owner", "account": "beta"}),
    ("keys.create", {"name": "x", "account": "beta"}),
    ("projects.create", {"name": "x", "account": "beta"}),
    ("limits.set", {"account": "alpha", "requests_per_minute": 1_000_000}),
    ("codes.redeem", {"code": "x", "account": "beta"}),
    ("budgets.set", {"account": "beta", "amount_usd": "1", "window": "day"}),
    ("alerts.test", {"account": "beta", "mail": "a@b.example"}),
)
"""Well-formed, and a field of it is the platform's or another account's."""


@pytest.mark.parametrize(
    ("name", "body"), NOT_AN_OWNER_S, ids=[f"{name} {list(body)[-1]}" for name, body in NOT_AN_OWNER_S]
)
def test_field_that_is_not_an_owner_s_is_refused(admin_harness: AdminHarness, name: str, body: dict[str, Any]) -> None:
    route = called(name)
    by_key = admin_harness.bearer("alpha-admin", route.method, route.path, body)
    owner = SessionCaller(admin_harness, member(admin_harness, "alpha"))
    by_session = owner.ask(route.method, route.path, body)
    for reply in (by_key, by_session):
        assert reply.status in (400, 403, 404), reply.body
    assert (by_key.status, by_key.message) == (by_session.status, by_session.message)


@pytest.mark.parametrize(
    ("role", "sees"), [("operator", True), ("finance", True), ("support", False), ("viewer", False)]
)
def test_costs_are_told_to_those_who_see_costs(admin_harness: AdminHarness, role: str, sees: bool) -> None:
    furnished(admin_harness)
    sold = Model(id="house-1", offers=OFFERS[:1], price=PRICED)
    admin_harness.services.catalogue = structs.replace(admin_harness.services.catalogue, models={"house-1": sold})
    person = SessionCaller(admin_harness, of_platform(admin_harness, role))
    models = {one["id"]: one for one in person.ask("GET", "/api/v1/models").body["data"]}
    assert bool(models["house-1"]["below_cost"]) is sees
    admin_harness.call("alpha-live", model="house-1", usage=Usage(input=1_000), charge=Charge(amount=9, price_id=None))
    figures = {one["name"]: one for one in person.ask("GET", "/api/v1/account_figures").body["data"]}
    assert figures["alpha"]["calls"] == 1
    assert (figures["alpha"]["cost_usd"] is not None) is sees
    assert (figures["alpha"]["margin_usd"] is not None) is sees


def test_account_never_sees_what_is_below_cost(admin_harness: AdminHarness) -> None:
    furnished(admin_harness)
    for reply in (
        admin_harness.bearer("alpha-admin", "GET", "/api/v1/models"),
        SessionCaller(admin_harness, member(admin_harness, "alpha")).ask("GET", "/api/v1/models"),
    ):
        assert not any(one["below_cost"] or one["offers"] for one in reply.body["data"])

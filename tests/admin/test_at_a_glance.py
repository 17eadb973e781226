"""What the console shows at a glance, as the control API tells it: accounts, usage over time, providers, the system."""

from dataclasses import replace
from typing import Any

import pytest

from tests.admin.harness import OPERATOR, START_MS, AdminHarness, AdminReply
from tests.console.harness import Browser, member, of_platform
from tests.console.platform import furnished, running
from tests.console.test_control_api import SessionCaller
from tollhouse.core.charge import Charge
from tollhouse.core.ids import make_id
from tollhouse.core.roll_up import DAY_MS
from tollhouse.core.session import Session
from tollhouse.core.usage import Usage
from tollhouse.edge.admin.application import ControlApi
from tollhouse.edge.admin.callers import on_the_socket
from tollhouse.services import acting, people, sessions

DOLLAR = 1_000_000_000


def spend(admin: AdminHarness, number: int, usd: int, key: str = "alpha-live", ago_ms: int = 0, **changed: Any) -> None:
    time_ms = admin.clock.ms + number - ago_ms
    admin.call(
        key,
        number,
        id=make_id("req", time_ms, number.to_bytes(10, "big")),
        time_ms=time_ms,
        charge=Charge(amount=usd * DOLLAR, price_id=None),
        usage=Usage(input=100 * usd, output=10),
        **changed,
    )


class WithServer:
    """The control socket of a server whose gateway stands beside."""

    def __init__(self, admin: AdminHarness) -> None:
        self.admin, self.gateway = admin, furnished(admin)
        self.api = ControlApi(
            replace(admin.socket.context, running=running(self.gateway)), on_the_socket, admin.clock, admin.random
        )

    def ask(self, method: str, target: str) -> AdminReply:
        return self.admin.ask(method, target, {} if method == "POST" else None, api=self.api)


def test_usage_over_time_tells_groups_the_rest_and_the_period_before(admin_harness: AdminHarness) -> None:
    for number, model in enumerate("abcdefgh", start=1):
        spend(admin_harness, number, number, model=model)
    spend(admin_harness, 20, 5, model="a", ago_ms=8 * DAY_MS)
    found = admin_harness.bearer("alpha-admin", "GET", "/api/v1/usage/series?every=day").body
    assert [one["group"] for one in found["data"]] == list("hgfedc")
    assert (found["other"]["total"]["charge_usd"], found["whole"]["total"]["charge_usd"]) == ("3", "36")
    assert found["before"]["total"]["charge_usd"] == "5"
    assert [one["group"] for one in found["ranking"]] == list("hgfedcba")
    assert len(found["edges"]) == len(found["whole"]["spans"]) + 1
    assert sum(one["calls"] for one in found["whole"]["spans"]) == 8
    as_csv = admin_harness.bearer("alpha-admin", "GET", "/api/v1/usage/series?every=day&format=csv")
    assert ",Other,,2,0,3," in str(as_csv.body)


@pytest.mark.parametrize("every", ["minute", "day"])
def test_usage_of_a_member_is_that_of_the_keys_they_made(admin_harness: AdminHarness, every: str) -> None:
    owner = SessionCaller(admin_harness, member(admin_harness, "alpha"))
    made = owner.ask("POST", "/api/v1/keys", {"name": "hers"}).body
    assert made["made_by"].startswith("per_")
    admin_harness.keys["hers"] = made["id"]
    spend(admin_harness, 1, 3, "hers")
    spend(admin_harness, 2, 1)
    start = "" if every == "day" else "&from=1h"
    found = owner.ask("GET", f"/api/v1/usage/series?by=member&every={every}{start}").body
    told = {one["group"]: one["total"]["charge_usd"] for one in found["data"]}
    assert told == {made["made_by"]: "3", "": "1"}
    page = owner.browser.get("/console/usage?by=member").html
    assert "owner@alpha.example" in page
    assert "no person" in page
    viewer = Browser(admin_harness)
    viewer.sign_in(member(admin_harness, "alpha", "viewer"))
    told_to_viewer = viewer.get("/console/usage?by=member").html
    assert made["made_by"] in told_to_viewer
    assert "owner@alpha.example" not in told_to_viewer


def test_api_key_sees_its_own_usage_over_time(admin_harness: AdminHarness) -> None:
    spend(admin_harness, 1, 3)
    spend(admin_harness, 2, 4, "alpha-test", mode="test")
    found = admin_harness.bearer("alpha-live", "GET", "/api/v1/usage/series?by=key").body
    assert [one["group"] for one in found["data"]] == [admin_harness.keys["alpha-live"]]
    assert admin_harness.bearer("alpha-live", "GET", "/api/v1/usage/series?by=tag").status == 400


def test_overview_says_what_the_page_says(admin_harness: AdminHarness) -> None:
    admin_harness.operator("POST", "/api/v1/credits", {"account": "alpha", "amount_usd": "50"})
    admin_harness.operator("POST", "/api/v1/budgets", {"account": "alpha", "amount_usd": "20", "window": "day"})
    spend(admin_harness, 1, 8)
    spend(admin_harness, 2, 0, status=429, error="rate_limit_exceeded")
    found = admin_harness.bearer("alpha-admin", "GET", "/api/v1/overview").body
    assert found["account_id"] == admin_harness.accounts["alpha"]
    assert (found["today"]["charge_usd"], found["month"]["calls"], len(found["days"])) == ("8", 2, 31)
    assert [(one["code"], one["count"]) for one in found["failures"]] == [("rate_limit_exceeded", 1)]
    assert [one["amount_usd"] for one in found["budgets"]] == ["20"]
    assert found["available_usd"] is not None
    foreign = admin_harness.bearer("alpha-admin", "GET", f"/api/v1/overview?account={admin_harness.accounts['beta']}")
    assert foreign.status == 404


def test_figures_of_one_account_and_of_all(admin_harness: AdminHarness) -> None:
    spend(admin_harness, 1, 8)
    every = admin_harness.operator("GET", "/api/v1/account_figures").body["data"]
    (one,) = admin_harness.operator("GET", "/api/v1/account_figures?account=alpha").body["data"]
    assert one in every
    assert (one["spent_usd"], one["calls"], one["failed"]) == ("8", 1, 0)
    assert admin_harness.bearer("alpha-admin", "GET", "/api/v1/account_figures").status == 403


def test_system_without_and_with_a_server(admin_harness: AdminHarness) -> None:
    alone = admin_harness.operator("GET", "/api/v1/system").body
    assert (alone["started_at"], alone["free_bytes"], set(alone["waiting"])) == (None, None, {"deliveries"})
    assert admin_harness.operator("POST", "/api/v1/system/examine", {}).status == 503
    server = WithServer(admin_harness)
    found = server.ask("GET", "/api/v1/system").body
    assert (found["waiting"]["writer"], found["free_bytes"], found["generation"]) == (3, 5_000_000_000, 4)
    report = server.ask("POST", "/api/v1/system/examine").body
    assert (report["ok"], report["checks"][0]["cure"]) == (False, "make room")


def test_incidents_and_what_depends_on_a_provider(admin_harness: AdminHarness) -> None:
    server = WithServer(admin_harness)
    server.gateway.gateway.troubles.note("one", "up-one", "no such model", START_MS)
    found = server.ask("GET", "/api/v1/incidents").body
    assert [one["words"] for one in found["troubles"]] == ["no such model"]
    assert found["started_at"] is not None
    assert admin_harness.operator("GET", "/api/v1/incidents").body["started_at"] is None
    two = server.ask("GET", "/api/v1/providers/two").body
    assert [(one["model"], one["alone"]) for one in two["offers"]] == [
        ("house-1", False),
        ("house-2", True),
        ("gift", True),
    ]
    assert "api_keys" in two
    assert "env:TWO" not in str(two)
    assert server.ask("GET", "/api/v1/providers/nobody").status == 404


def test_sessions_are_seen_and_ended_by_their_owner(admin_harness: AdminHarness) -> None:
    owner = SessionCaller(admin_harness, member(admin_harness, "alpha"))
    viewer = SessionCaller(admin_harness, member(admin_harness, "alpha", "viewer"))
    (own,) = viewer.ask("GET", "/api/v1/sessions").body["data"]
    (of_owner,) = owner.ask("GET", "/api/v1/sessions").body["data"]
    assert viewer.ask("GET", "/api/v1/sessions?person=owner@alpha.example").status == 403
    kept = viewer.ask("POST", f"/api/v1/sessions/{of_owner['id']}/end", {})
    unknown = viewer.ask("POST", "/api/v1/sessions/ses_nobody/end", {})
    assert (kept.status, kept.message) == (unknown.status, unknown.message) == (404, unknown.message)
    assert [one["id"] for one in owner.ask("GET", "/api/v1/sessions?person=viewer@alpha.example").body["data"]] == [
        own["id"]
    ]
    assert owner.ask("POST", f"/api/v1/sessions/{own['id']}/end", {}).body["id"] == own["id"]
    assert viewer.ask("GET", "/api/v1/sessions").status == 401
    assert admin_harness.bearer("beta-admin", "POST", f"/api/v1/sessions/{of_owner['id']}/end", {}).status == 404
    assert admin_harness.bearer("alpha-admin", "GET", "/api/v1/sessions").body["error"]["param"] == "person"


def test_person_is_shown_with_the_keys_they_made(admin_harness: AdminHarness) -> None:
    owner = SessionCaller(admin_harness, member(admin_harness, "alpha"))
    made = owner.ask("POST", "/api/v1/keys", {"name": "hers"}).body["id"]
    found = owner.ask("GET", "/api/v1/people/owner@alpha.example").body
    assert (found["keys"], found["sessions"]) == ([made], 1)
    assert admin_harness.bearer("beta-admin", "GET", f"/api/v1/people/{found['id']}").status == 404


def test_session_looks_at_an_account_until_it_ends(admin_harness: AdminHarness) -> None:
    services, run = admin_harness.services, admin_harness.runner.run
    browser = Browser(admin_harness)
    browser.sign_in(of_platform(admin_harness))
    person = run(people.find(services, OPERATOR, "operator@platform.example"))

    def standing() -> Session:
        (one,) = services.sessions.of_person(person.id)
        return one

    account_id, before = admin_harness.accounts["alpha"], standing()
    run(acting.begin(services, OPERATOR, before, "alpha"))
    assert standing().looks_at == account_id
    assert run(acting.end(services, OPERATOR, standing())) == account_id
    assert standing().looks_at is None
    run(acting.begin(services, OPERATOR, standing(), "alpha"))
    looking = standing()
    run(sessions.end(services, OPERATOR, person, looking.id))
    assert services.sessions.by_id(looking.id) is None
    run(acting.begin(services, OPERATOR, before, "alpha"))
    assert services.sessions.by_id(before.id) is None, "it has ended"


def test_who_looks_at_an_account_does_so_after_a_restart(admin_harness: AdminHarness) -> None:
    operator = Browser(admin_harness)
    operator.sign_in(of_platform(admin_harness))
    operator.get("/console/platform/accounts")
    operator.post(f"/console/platform/accounts/{admin_harness.accounts['alpha']}/act")
    secret = operator.cookie
    admin_harness.close()
    admin_harness.open()
    again = Browser(admin_harness)
    admin_harness.runner.run(sessions.load(admin_harness.services))
    again.cookie = secret
    assert "You look at the account" in again.get("/console/").html
    (shown,) = admin_harness.operator("GET", "/api/v1/sessions?person=operator@platform.example").body["data"]
    assert shown["looks_at"] == admin_harness.accounts["alpha"]

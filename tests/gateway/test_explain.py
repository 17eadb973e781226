"""What is told before a call is what the call meets; and asking takes nothing, holds nothing, sends nothing."""

import json
from typing import Any

import pytest
from msgspec import structs

from tests.gateway.fakes import FakeCallerConnection, FakeUpstream, identity
from tests.gateway.harness import LIVE, TEST, GatewayHarness, asking, refusing, run
from tests.limits.at_once import at_once
from tollhouse.billing.budgets import Budget
from tollhouse.billing.price_list import PriceLists
from tollhouse.core.account import Account, Identity
from tollhouse.core.catalogue import Catalogue, Plan
from tollhouse.core.failure import Failure
from tollhouse.core.upstream import Headers
from tollhouse.core.usage_record import UsageRecord
from tollhouse.gateway.explain import Explanation, explain, explain_again
from tollhouse.limits.rate_limiter import InMemoryRateLimiter

CAP = 12
ASKED = asking(max_tokens=CAP)
WORST = len(ASKED) * 2500 + CAP * 10000


def harness(money: int | None = 10**9, limits: dict[str, Any] | None = None, **members: Any) -> GatewayHarness:
    """With real limits and a budget of half a dollar a day on the key."""
    made = GatewayHarness(money=money, **members)
    catalogue = structs.replace(made.gateway.catalogue, plans={"default": Plan(id="default", **limits or {})})
    made.gateway.catalogue = catalogue
    made.gateway.limits = InMemoryRateLimiter(lambda: catalogue, "ops@toll.example")
    budget = Budget(
        id="bud_1", account_id="acc_1", level="key", object_id="key_live", amount=5 * 10**8, kind="day", created_at_ms=0
    )
    made.counters.put_budget(budget, made.clock.now_ms())
    return made


def explained(
    made: GatewayHarness, body: bytes = ASKED, caller: Identity | None = None, headers: Headers | None = None
) -> Explanation:
    found: list[Explanation] = []

    async def main() -> None:
        found.append(await explain(made.gateway, caller or identity(LIVE), "chat", headers or [], body))

    run(main())
    return found[0]


def met(made: GatewayHarness, body: bytes = ASKED, headers: Headers | None = None) -> Failure | None:
    """What the call itself meets."""

    async def main() -> None:
        await made.ask(FakeCallerConnection(body), headers=headers)

    try:
        run(main())
    except Failure as failure:
        return failure
    return None


def told(failure: Failure | None) -> tuple[int, str, str] | None:
    return None if failure is None else (failure.status, failure.code, failure.message)


SCENES: dict[str, tuple[dict[str, Any], bytes, Headers]] = {
    "a call that is let in": ({}, ASKED, []),
    "a body that is no JSON": ({}, b'{"model": ', []),
    "a field of a wrong type": ({}, asking(stream="yes"), []),
    "a model that is not there": ({}, asking("house-9"), []),
    "a limit of requests": ({"limits": {"requests_per_minute": 0}}, ASKED, []),
    "a limit of tokens": ({"limits": {"tokens_per_minute": 20}}, ASKED, []),
    "too little money": ({"money": WORST - 1}, ASKED, []),
    "a maximum of its own": ({}, ASKED, [(b"x-tollhouse-max-cost-usd", b"0.0001")]),
    "a maximum that is no amount": ({}, ASKED, [(b"x-tollhouse-max-cost-usd", b"much")]),
    "tags that cannot be read": ({}, ASKED, [(b"x-tollhouse-tags", b"red")]),
    "more than the day's budget": ({}, asking(max_tokens=60_000), []),
}


@pytest.mark.parametrize("scenario", SCENES)
def test_the_verdict_is_what_the_call_meets(scenario: str) -> None:
    how, body, headers = SCENES[scenario]
    verdict = explained(harness(**how), body, headers=headers).failure
    assert told(verdict) == told(met(harness(**how), body, headers))
    assert (verdict is None) == (scenario == "a call that is let in")


def test_asking_leaves_no_trace() -> None:
    made = harness(limits={"requests_per_minute": 5, "tokens_per_minute": 500, "parallel_requests": 2})
    before = at_once(made.gateway.limits.status(identity(LIVE), made.clock.now_ms()))
    for _ in range(20):
        assert explained(made).failure is None
    assert at_once(made.gateway.limits.status(identity(LIVE), made.clock.now_ms())) == before
    assert made.first.calls == made.second.calls == []
    assert made.ledger.records == made.observer.records == []
    assert made.keys.last_uses == {}
    assert (made.counter.held, made.counter.spent) == (0, 0)


def test_it_names_the_limits_the_price_the_bounds_and_every_counter() -> None:
    made = harness(limits={"requests_per_minute": 5, "tokens_per_minute": 500})
    found = explained(made)
    assert [(one["name"], one["used"], one["limit"]) for one in found.limits] == [
        ("requests_per_minute", 0, 5),
        ("tokens_per_minute", 0, 500),
    ]
    assert found.tokens == len(ASKED) // 4 + CAP
    assert found.price is not None
    assert found.price.id == "price_1"
    assert found.bounds is not None
    assert (found.bounds.tokens_in, found.bounds.tokens_out, found.bounds.added_cap) == (len(ASKED), CAP, None)
    assert found.amount == WORST
    assert [(counter.id, counter.limit) for counter in found.counters] == [("bud_1", 5 * 10**8), ("acc_1", 10**9)]


def test_what_would_be_held_is_what_the_call_holds() -> None:
    made = harness()
    amount = explained(made).amount
    assert met(made) is None
    assert made.record.charge is not None
    assert made.record.charge.held == amount


def test_a_cap_that_would_be_added_is_told() -> None:
    made = harness(model={"max_output_tokens": 900_000, "context_tokens": 1_000_000})
    bounds = explained(made, asking()).bounds
    assert bounds is not None
    assert met(made, asking()) is None
    assert made.record.output_cap == bounds.added_cap
    assert json.loads(made.first.calls[0].body)["max_tokens"] == bounds.added_cap


def test_what_comes_after_a_refusal_is_told_as_well() -> None:
    found = explained(harness(money=0, limits={"requests_per_minute": 0}))
    assert found.failure is not None
    assert found.failure.code == "rate_limit_exceeded"
    assert found.amount == WORST
    assert [counter.left() for counter in found.counters] == [5 * 10**8, 0]


def test_a_key_that_may_not_call_is_the_verdict_whatever_else_is_well() -> None:
    for changed, code in (
        ({"state": "revoked"}, "invalid_api_key"),
        ({"state": "frozen"}, "key_frozen"),
        ({"scopes": ("usage",)}, "scope_missing"),
        ({"expires_at_ms": 5}, "invalid_api_key"),
        ({"models": ("other",)}, "model_not_allowed"),
    ):
        failure = explained(harness(), caller=identity(LIVE, **changed)).failure
        assert failure is not None
        assert failure.code == code
    suspended = structs.replace(
        identity(LIVE), account=Account(id="acc_1", name="Z", state="suspended", created_at_ms=0)
    )
    failure = explained(harness(), caller=suspended).failure
    assert failure is not None
    assert failure.code == "account_suspended"


def test_networks_are_not_judged_for_nobody_knows_from_where_the_call_would_come() -> None:
    assert explained(harness(), caller=identity(LIVE, networks=("10.0.0.0/8",))).failure is None


def test_offers_are_ranked_and_those_left_alone_say_why() -> None:
    made = harness(first=FakeUpstream(refusing(401, {"message": "no"})))
    assert [(one.offer.provider, one.turn) for one in explained(made).offers] == [("one", 1), ("two", 2)]
    assert met(made) is None
    first, second = explained(made).offers
    assert (first.offer.provider, first.turn) == ("two", 1)
    assert (second.offer.provider, second.turn) == ("one", None)
    assert "refuses this platform's credentials" in second.why
    made.gateway.destinations = {}
    found = explained(made)
    assert found.failure is not None
    assert found.failure.code == "overloaded"
    assert [one.why for one in found.offers] == ["its provider is not in force"] * 2


def test_what_costs_nothing_says_why() -> None:
    test = explained(harness(money=0), caller=identity(TEST, "test"))
    assert (test.failure, test.counters, test.amount) == (None, [], 0)
    assert "test mode" in test.free
    free = explained(harness(money=0, model={"free": True}))
    assert (free.failure, free.free) == (None, "the model is free")
    unpriced = harness()
    unpriced.gateway.prices = lambda: PriceLists(())
    failure = explained(unpriced).failure
    assert failure is not None
    assert failure.code == "model_not_priced"


class TestACallThatWasMade:
    def made(self, **how: Any) -> tuple[GatewayHarness, UsageRecord]:
        made = harness(limits={"requests_per_minute": 5, "tokens_per_minute": 500}, **how)
        met(made)
        return made, made.record

    def test_it_is_held_against_what_is_left_now(self) -> None:
        made, record = self.made()
        found = at_once(explain_again(made.gateway, identity(LIVE), record))
        assert (found.failure, found.amount, found.tokens) == (None, WORST, len(ASKED) // 4 + CAP)
        assert found.limits[0]["used"] == 1
        made.counter.limit = made.counter.spent
        refused = at_once(explain_again(made.gateway, identity(LIVE), record)).failure
        assert refused is not None
        assert refused.code == "insufficient_quota"
        assert made.counter.held == 0

    def test_one_that_failed_counts_with_what_was_released(self) -> None:
        made, record = self.made(first=FakeUpstream(refusing(500)), second=FakeUpstream(refusing(500)))
        assert record.released == WORST
        assert at_once(explain_again(made.gateway, identity(LIVE), record)).amount == WORST

    def test_a_model_that_went_away_is_not_found(self) -> None:
        made, record = self.made()
        made.gateway.catalogue = Catalogue()
        gone = at_once(explain_again(made.gateway, identity(LIVE), record)).failure
        assert gone is not None
        assert gone.code == "model_not_found"

    def test_one_whose_model_was_never_found(self) -> None:
        made = harness()
        met(made, asking("house-9"))
        unknown = at_once(explain_again(made.gateway, identity(LIVE), made.record)).failure
        assert unknown is not None
        assert "was not kept" in unknown.message

    def test_a_test_mode_endpoints_is_free(self) -> None:
        made = harness()
        run(made.ask(FakeCallerConnection(asking("simulate/status=503")), key=TEST))
        found = at_once(explain_again(made.gateway, identity(TEST, "test"), made.record))
        assert (found.failure, found.amount) == (None, 0)
        assert "test mode" in found.free

    def test_a_free_one_is_not_let_in_by_a_budget_of_nothing_either(self) -> None:
        made, record = self.made(model={"free": True})
        closed = Budget(
            id="bud_2", account_id="acc_1", level="key", object_id="key_live", amount=0, kind="total", created_at_ms=0
        )
        made.counters.put_budget(closed, made.clock.now_ms())
        refused = at_once(explain_again(made.gateway, identity(LIVE), record)).failure
        assert refused is not None
        assert refused.code == "insufficient_quota"
        before = explained(made).failure
        assert before is not None
        assert before.message == refused.message

"""Limits on the request context: what a call reserves, what it leaves when it is over, and that a refused one costs
nothing."""

import asyncio
import json
from collections import Counter
from typing import Any

import pytest
from msgspec import structs

from tests.gateway.fakes import NOW_MS, FakeCallerConnection, ScriptedResponse, identity
from tests.gateway.harness import LIVE, NOTHING_STREAMS, STORY, GatewayHarness, answer, asking, buffered, run, streaming
from tests.limits.at_once import at_once
from tollhouse.core.catalogue import Catalogue, Plan
from tollhouse.core.failure import Failure, InsufficientQuota, RateLimited, UpstreamUnreachable
from tollhouse.core.limit import Rule
from tollhouse.core.operation import Dialect
from tollhouse.formats import codecs, dialects
from tollhouse.gateway.flow import serve
from tollhouse.limits.addresses import AddressRate
from tollhouse.limits.rate_limiter import InMemoryRateLimiter

USED = 60 + 12  # tokens of the harness's usual answer


class Limited(GatewayHarness):
    """A harness whose limits are real; `plan`: the account's."""

    def __init__(self, *plays: ScriptedResponse, **plan: Any) -> None:
        super().__init__(money=10**15)
        if plays:
            self.first.plays = list(plays)
        plans = {"default": Plan(id="default", **plan)}
        self.gate = InMemoryRateLimiter(lambda: Catalogue(plans=plans), "ops@toll.example")
        self.gateway.limits = self.gate

    def used(self, name: str = "tokens_per_minute") -> object:
        return next(
            one["used"] for one in at_once(self.gate.status(identity(LIVE), self.clock.ms)) if one["name"] == name
        )

    def refused(self, body: bytes, **how: Any) -> RateLimited:
        with pytest.raises(RateLimited) as caught:
            run(self.ask(FakeCallerConnection(body), **how))
        return caught.value


def content(*parts: object, **members: Any) -> bytes:
    return json.dumps({"model": "house-1", "messages": [{"role": "user", "content": parts}], **members}).encode()


def reserved(body: bytes) -> object:
    """What a call takes from the token limit while it is in flight."""
    seen: list[object] = []
    harness = Limited(tokens_per_minute=10**6)
    harness.first.plays = [buffered(lambda: seen.append(harness.used()), answer())]
    run(harness.ask(FakeCallerConnection(body)))
    assert harness.used() == USED
    return seen[0]


def test_a_call_reserves_a_quarter_of_its_bytes_and_the_cap_it_names_for_each_answer() -> None:
    assert reserved(asking()) == len(asking()) // 4
    named = asking(max_tokens=500, n=3)
    assert reserved(named) == len(named) // 4 + 1_500


def test_media_is_reserved_by_a_figure_a_part_and_not_by_its_bytes() -> None:
    inline = f"data:image/png;base64,{'A' * 400_000}"
    pictures = [{"type": "image_url", "image_url": {"url": url}} for url in (inline, inline, "https://x.example/1.png")]
    body = content({"type": "text", "text": "what is on these?"}, *pictures)
    text = len(body) - 2 * len(json.dumps(inline))
    assert reserved(body) == text // 4 + 3 * 1_000


def test_what_was_reserved_is_corrected_when_the_answer_is_over_up_and_down() -> None:
    harness = Limited(streaming(*STORY), tokens_per_minute=10_000)
    run(harness.ask(FakeCallerConnection(asking(max_tokens=900, stream=True))))
    assert harness.used() == USED
    run(harness.ask(FakeCallerConnection(asking(max_tokens=1, stream=True))))
    assert harness.used() == 2 * USED


def test_a_failed_call_gives_back_all_its_tokens_and_stays_a_call() -> None:
    harness = Limited(
        ScriptedResponse(failure=UpstreamUnreachable("away")), tokens_per_minute=10_000, requests_per_minute=10
    )
    harness.second.plays = list(harness.first.plays)
    with pytest.raises(Failure):
        run(harness.ask(FakeCallerConnection(asking(max_tokens=900))))
    assert harness.used() == 0
    assert harness.used("requests_per_minute") == 1


def test_calls_that_money_refused_used_up_the_limit_of_those_who_have_some() -> None:
    """A key with an empty budget that tries again and again must not keep the account's other keys out."""
    harness = Limited(requests_per_minute=2, tokens_per_minute=10_000)
    harness.counter.limit = 1
    for _ in range(5):
        with pytest.raises(InsufficientQuota):
            run(harness.ask(FakeCallerConnection(asking())))
    assert (harness.used("requests_per_minute"), harness.used()) == (0, 0)
    harness.counter.limit = None
    run(harness.ask(FakeCallerConnection(asking())))
    assert harness.used("requests_per_minute") == 1


def test_a_call_that_finds_no_provider_counts_nowhere() -> None:
    harness = Limited(requests_per_minute=2)
    harness.gateway.destinations = {}
    with pytest.raises(Failure):
        run(harness.ask(FakeCallerConnection(asking())))
    assert harness.used("requests_per_minute") == 0


def test_a_refused_call_costs_nothing_and_reaches_no_provider() -> None:
    harness = Limited(requests_per_minute=1)
    run(harness.ask(FakeCallerConnection(asking())))
    calls, spent = len(harness.first.calls), harness.counter.spent
    refused = harness.refused(asking())
    assert (len(harness.first.calls), len(harness.second.calls)) == (calls, 0)
    assert (harness.counter.spent, harness.counter.held) == (spent, 0)
    record = harness.ledger.records[-1]
    assert (record.status, record.error, record.ending, record.charge) == (429, "rate_limit_exceeded", "refused", None)
    assert refused.retry_after_ms == 60_000
    for said in ("1 requests per minute", "account acc_1", "1 used", "in 1m0s", "ops@toll.example"):
        assert said in refused.message


def test_a_call_larger_than_the_whole_bucket_is_told_so_and_not_to_come_again() -> None:
    harness = Limited(tokens_per_minute=100)
    refused = harness.refused(asking(max_tokens=101))
    assert "more than the whole limit" in refused.message
    assert refused.should_retry is False
    assert harness.used() == 0


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_answers_and_refusals_carry_the_headers_of_the_callers_dialect(dialect: Dialect) -> None:
    harness = Limited(requests_per_minute=1, tokens_per_minute=5_000)
    chat, write = codecs()["openai", "chat"], dialects()[dialect].limit_headers
    harness.gateway.codecs = {(dialect, "chat"): structs.replace(chat, limit_headers=write)}
    client = FakeCallerConnection(asking())

    async def ask(client: FakeCallerConnection) -> None:
        call = harness.call(client)
        call.dialect = dialect
        await serve(harness.gateway, call)

    run(ask(client))
    with pytest.raises(RateLimited) as caught:
        run(ask(FakeCallerConnection(asking())))
    for head in (client.headers, list(caught.value.headers)):
        names = {name for name, _ in head if b"ratelimit" in name}
        start = b"anthropic-ratelimit-" if dialect == "anthropic" else b"x-ratelimit-"
        assert len(names) == 6
        assert all(name.startswith(start) for name in names)


def test_a_raised_limit_frees_the_difference_at_once_a_lowered_one_binds_at_once_and_an_end_is_kept() -> None:
    harness = Limited(requests_per_minute=2)

    def let_in() -> int:
        count = 0
        while True:
            try:
                run(harness.ask(FakeCallerConnection(asking())))
            except RateLimited:
                return count
            count += 1

    raised = Rule(
        id="lim_1", level="account", object_id="acc_1", kind="requests_per_minute", most=5, until_ms=NOW_MS + 1_000
    )
    assert let_in() == 2
    harness.gate.rules.put(raised)
    assert let_in() == 3
    harness.clock.ms = NOW_MS + 999
    assert let_in() == 0
    harness.clock.ms = NOW_MS + 1_000
    assert let_in() == 0  # two a minute again, and five were used
    harness.clock.ms = NOW_MS + 61_000
    assert let_in() == 2


@pytest.mark.parametrize("level", ["account", "project", "key", "model"])
def test_of_a_thousand_calls_at_once_exactly_as_many_get_in_as_the_limit_says(level: Any) -> None:
    ids = {"account": "acc_1", "project": "proj_1", "key": "key_live", "model": "house-1"}
    harness = Limited(parallel_requests=1_000_000)
    rule = Rule(id="lim_1", level=level, object_id=ids[level], kind="parallel_requests", most=37)
    harness.gate.rules.put(rule)
    door, outcomes = asyncio.Event(), Counter[str]()

    async def one() -> None:
        try:
            await harness.ask(FakeCallerConnection(asking()))
            outcomes["answered"] += 1
        except RateLimited:
            outcomes["refused"] += 1
            if outcomes["refused"] == 1_000 - 37:
                door.set()

    async def main() -> None:
        harness.first.plays = [ScriptedResponse(headers=NOTHING_STREAMS, before_head=(door,), pieces=(answer(),))]
        await asyncio.gather(*(one() for _ in range(1_000)))
        harness.first.plays = [buffered()]
        await harness.ask(FakeCallerConnection(asking()))  # every place is free again

    run(main())
    assert outcomes == {"answered": 37, "refused": 963}
    assert len(harness.first.calls) == 38


def test_a_flood_from_one_address_is_stopped_before_anybody_looks_at_its_keys() -> None:
    harness = Limited()
    harness.gateway.addresses = AddressRate(3, "ops@toll.example")
    for _ in range(3):
        with pytest.raises(Failure) as caught:
            run(harness.ask(FakeCallerConnection(asking()), key="sk-nobody"))
        assert caught.value.code == "invalid_api_key"
    refused = harness.refused(asking(), key="sk-nobody")
    assert "3 requests per minute of the address 192.0.2.7" in refused.message
    harness.refused(asking())
    assert harness.observer.refusals[-1] == ("rate_limit_exceeded", 429)
    assert harness.first.calls == []

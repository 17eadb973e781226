"""Which calls say something of a model, and what is told of their sums."""

import random
from itertools import pairwise
from typing import Any

import pytest
from msgspec import structs

from tests.store.samples import request
from tollhouse.core.service_level import (
    BOUNDS_MS,
    CALLS_MIN,
    ServiceFigures,
    ServiceSums,
    figures,
    percentile,
    verdict,
)
from tollhouse.core.usage import Usage
from tollhouse.core.usage_record import Attempt, UsageRecord


def call(**changed: Any) -> UsageRecord:
    live = {"mode": "live", "status": 200, "error": None, "ending": "finished", "admitted_ms": 1}
    return structs.replace(request(), **{**live, **changed})


@pytest.mark.parametrize(
    ("expected", "changed"),
    [
        (False, {}),
        (False, {"ending": "incomplete"}),
        (True, {"status": 502, "error": "upstream_error", "ending": "failed_before_first_byte"}),
        (True, {"status": 200, "error": "upstream_error", "ending": "failed_after_first_byte"}),
        (True, {"status": 504, "error": "upstream_timeout", "ending": "failed_before_first_byte"}),
        (True, {"status": 503, "error": "overloaded", "ending": "refused"}),
        (True, {"status": 500, "error": "server_error", "ending": "refused"}),
        (True, {"status": 429, "error": "rate_limit_exceeded", "ending": "failed_before_first_byte"}),
        (None, {"status": 429, "error": "rate_limit_exceeded", "ending": "refused", "admitted_ms": None}),
        (None, {"status": 429, "error": "insufficient_quota", "ending": "refused"}),
        (None, {"status": 400, "error": "invalid_request_error", "ending": "failed_before_first_byte"}),
        (None, {"status": 404, "error": "model_not_found", "ending": "refused"}),
        (None, {"status": 503, "error": "model_not_priced", "ending": "refused"}),
        (None, {"status": 499, "ending": "client_left_before_first_byte"}),
        (None, {"status": 499, "ending": "client_left_after_first_byte"}),
        (None, {"mode": "test"}),
        (None, {"mode": "test", "status": 502, "error": "upstream_error", "ending": "failed_before_first_byte"}),
        (None, {"model": ""}),
    ],
)
def test_a_call_counts_where_the_platform_or_a_provider_answers_for_it(
    expected: bool | None, changed: dict[str, Any]
) -> None:
    assert verdict(call(**changed)) is expected


def test_bins_are_a_tenth_wide_at_most_and_reach_beyond_any_deadline() -> None:
    for lower, upper in pairwise(BOUNDS_MS):
        assert lower < upper <= lower * 1.1 + 1
    assert BOUNDS_MS[-1] > 1_000_000


@pytest.mark.parametrize("seed", range(5))
def test_percentile_is_the_bound_above_the_time_of_that_rank(seed: int) -> None:
    chance = random.Random(seed)
    times = [round(chance.lognormvariate(6, 1.5)) for _ in range(chance.randrange(1, 500))]
    sums = ServiceSums()
    for time_ms in times:
        sums.count(call(stream=True, first_byte_ms=time_ms), failed=False)
    for percent in (1, 50, 95, 100):
        exact = sorted(times)[-(-len(times) * percent // 100) - 1]
        told = percentile(sums.first, percent)
        assert told is not None
        assert exact <= told <= exact * 1.1 + 1


def test_a_time_beyond_all_bins_counts_in_the_last() -> None:
    sums = ServiceSums()
    sums.count(call(stream=True, first_byte_ms=10**9), failed=False)
    assert percentile(sums.first, 50) == BOUNDS_MS[-1]


def test_nothing_is_said_of_few_calls() -> None:
    sums = ServiceSums()
    assert figures(sums) == ServiceFigures()
    for number in range(CALLS_MIN):
        assert figures(sums) == ServiceFigures(), number
        sums.count(spoken(), failed=False)
    assert figures(sums) == ServiceFigures(success=1_000, first_p50_ms=108, first_p95_ms=108, tokens_per_second=50)


def test_a_single_failure_among_many_does_not_read_as_none() -> None:
    sums = ServiceSums(good=99_999, failed=1)
    assert figures(sums).success == 999


def test_speed_is_of_all_that_was_generated_over_all_that_it_took() -> None:
    sums = ServiceSums()
    sums.count(spoken(usage=Usage(output=40, reasoning=60), last_byte_ms=2_010), failed=False)
    sums.count(spoken(usage=Usage(output=300), last_byte_ms=2_010), failed=False)
    sums.count(spoken(usage=Usage(), last_byte_ms=9_000), failed=False)  # embeddings generate nothing
    sums.count(spoken(attempts=()), failed=False)
    assert figures(sums, least=1).tokens_per_second == 100


def test_sums_that_were_added_are_taken_out_without_a_rest() -> None:
    chance, all_of_them, parts = random.Random(3), ServiceSums(), []
    for _ in range(20):
        part = ServiceSums()
        for _ in range(chance.randrange(30)):
            part.count(spoken(first_byte_ms=chance.randrange(5_000)), failed=chance.random() < 0.2)
        parts.append(part)
        all_of_them.add(part)
    for part in parts:
        all_of_them.add(part, -1)
    assert all_of_them == ServiceSums()


def spoken(**changed: Any) -> UsageRecord:
    """A stream of 100 tokens within two seconds, the first after a tenth of one."""
    asked = Attempt(provider="p", model="m", status=200, start_ms=10, end_ms=100)
    known = {"stream": True, "first_byte_ms": 100, "last_byte_ms": 2_010, "attempts": (asked,)}
    return call(**{**known, "usage": Usage(input=5, output=100), **changed})

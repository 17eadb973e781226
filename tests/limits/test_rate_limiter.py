"""The gate: every limit or none, at every level; what callers read of it; what a call that is over gives back."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.limits.at_once import at_once
from tests.limits.callers import caller
from tollhouse.core.catalogue import Catalogue, Model, Plan
from tollhouse.core.failure import RateLimited
from tollhouse.core.limit import Rule
from tollhouse.core.limit_headers import limit_headers
from tollhouse.core.usage import Usage
from tollhouse.formats.anthropic.limit_headers import limit_headers as of_anthropic
from tollhouse.limits.rate_limiter import CountedCall, InMemoryRateLimiter, UnlimitedCall

T = 1_790_000_000_000
MODEL = Model(id="house-1")
USED = Usage(input=60, output=12)


def rate_limiter(*rules: Rule, **plan: Any) -> InMemoryRateLimiter:
    catalogue = Catalogue(plans={"default": Plan(id="default", **plan)})
    built = InMemoryRateLimiter(lambda: catalogue, "ops@toll.example")
    for rule in rules:
        built.rules.put(rule)
    return built


def used(built: InMemoryRateLimiter, now_ms: int = T) -> dict[object, object]:
    return {shown["name"]: shown["used"] for shown in at_once(built.status(caller(), now_ms))}


def test_each_kind_of_limit_refuses_and_then_no_kind_has_counted_the_call() -> None:
    plan = {"requests_per_minute": 2, "tokens_per_minute": 100, "parallel_requests": 2}
    nothing = {"parallel_requests": 0, "requests_per_minute": 0, "tokens_per_minute": 0}
    for short in plan:
        built = rate_limiter(**plan | {short: 0})
        with pytest.raises(RateLimited, match=short.replace("_", " ").replace("parallel requests", "parallel")):
            at_once(built.admit(caller(), MODEL, 10, T, limit_headers))
        assert used(built) == nothing


def test_a_call_that_is_over_frees_its_place_and_corrects_its_tokens_but_stays_a_call() -> None:
    built = rate_limiter(requests_per_minute=10, tokens_per_minute=1_000, parallel_requests=1)
    admitted = at_once(built.admit(caller(), MODEL, 500, T, limit_headers))
    assert used(built) == {"parallel_requests": 1, "requests_per_minute": 1, "tokens_per_minute": 500}
    at_once(admitted.release(USED, T))
    assert used(built) == {"parallel_requests": 0, "requests_per_minute": 1, "tokens_per_minute": 72}


def test_a_call_refused_by_others_before_it_was_made_is_counted_nowhere() -> None:
    """As for want of money: else one empty key would use up what its siblings may ask."""
    built = rate_limiter(requests_per_minute=2, tokens_per_minute=1_000, parallel_requests=1)
    made = at_once(built.admit(caller(), MODEL, 500, T, limit_headers))
    at_once(made.release(USED, T))
    at_once(at_once(built.admit(caller(), MODEL, 500, T, limit_headers)).release(Usage(), T, refused=True))
    assert used(built) == {"parallel_requests": 0, "requests_per_minute": 1, "tokens_per_minute": 72}


def test_a_call_leaves_exactly_once() -> None:
    built = rate_limiter(tokens_per_minute=1_000)
    admitted = at_once(built.admit(caller(), MODEL, 500, T, limit_headers))
    at_once(admitted.release(USED, T))
    with pytest.raises(AssertionError, match="exactly once"):
        at_once(admitted.release(USED, T))
    assert used(built) == {"tokens_per_minute": 72}


def test_headers_of_both_families() -> None:
    built = rate_limiter(requests_per_minute=10, tokens_per_minute=1_000)
    openai = dict(at_once(built.admit(caller(), MODEL, 500, T, limit_headers)).headers(T))
    assert openai[b"x-ratelimit-remaining-requests"] == b"9"
    assert openai[b"x-ratelimit-remaining-tokens"] == b"500"
    anthropic = dict(at_once(built.admit(caller(), MODEL, 100, T, of_anthropic)).headers(T))
    assert anthropic[b"anthropic-ratelimit-requests-remaining"] == b"8"
    assert anthropic[b"anthropic-ratelimit-tokens-remaining"] == b"400"
    assert anthropic[b"anthropic-ratelimit-tokens-reset"] == b"2026-09-21T14:13:56Z"
    assert at_once(rate_limiter(parallel_requests=3).admit(caller(), MODEL, 1, T, limit_headers)).headers(T) == []


def test_a_refusal_carries_the_headers_too() -> None:
    built = rate_limiter(requests_per_minute=1)
    at_once(built.admit(caller(), MODEL, 0, T, limit_headers))
    with pytest.raises(RateLimited, match=r"ops@toll\.example") as caught:
        at_once(built.admit(caller(), MODEL, 0, T, limit_headers))
    assert (b"x-ratelimit-remaining-requests", b"0") in caught.value.headers


def test_the_tightest_level_is_shown_in_headers_and_binds() -> None:
    tight = Rule(id="lim_1", level="key", object_id="key_k", kind="requests_per_minute", most=2)
    built = rate_limiter(tight, requests_per_minute=10)
    assert (
        dict(at_once(built.admit(caller(), MODEL, 0, T, limit_headers)).headers(T))[b"x-ratelimit-limit-requests"]
        == b"2"
    )
    at_once(built.admit(caller(), MODEL, 0, T, limit_headers))
    with pytest.raises(RateLimited, match="key key_k"):
        at_once(built.admit(caller(), MODEL, 0, T, limit_headers))
    at_once(built.admit(caller(key="key_other"), MODEL, 0, T, limit_headers))


def test_a_model_has_a_limit_of_its_own_whoever_calls_it() -> None:
    built = rate_limiter(Rule(id="lim_1", level="model", object_id="house-1", kind="parallel_requests", most=1))
    at_once(built.admit(caller(account="acc_a"), MODEL, 0, T, limit_headers))
    with pytest.raises(RateLimited, match="model house-1"):
        at_once(built.admit(caller(account="acc_b"), MODEL, 0, T, limit_headers))
    at_once(built.admit(caller(account="acc_b"), Model(id="house-2"), 0, T, limit_headers))


def test_standing_shows_every_limit_with_its_end_and_note() -> None:
    raised = Rule(
        id="lim_1",
        level="account",
        object_id="acc_a",
        kind="requests_per_minute",
        most=5_000,
        model="house-*",
        until_ms=T + 86_400_000,
        note="launch week",
    )
    built = rate_limiter(raised, parallel_requests=50)
    at_once(built.admit(caller(), MODEL, 0, T, limit_headers))
    assert at_once(built.status(caller(), T)) == [
        {
            "name": "requests_per_minute",
            "level": "account",
            "id": "acc_a",
            "model": "house-*",
            "limit": 5_000,
            "used": 1,
            "remaining": 4_999,
            "reset_ms": 12,
            "source": "rule",
            "until": "2026-09-22T14:13:20Z",
            "note": "launch week",
        },
        {
            "name": "parallel_requests",
            "level": "account",
            "id": "acc_a",
            "limit": 50,
            "used": 1,
            "remaining": 49,
            "source": "plan",
        },
    ]


def test_standing_for_a_model_shows_only_what_a_call_to_it_has_to_pass_and_its_own() -> None:
    built = rate_limiter(
        Rule(id="lim_1", level="model", object_id="house-1", kind="parallel_requests", most=5),
        Rule(id="lim_2", level="key", object_id="key_k", kind="tokens_per_minute", most=9, model="house-2"),
        requests_per_minute=10,
    )
    names = [(one["level"], one["name"]) for one in at_once(built.status(caller(), T, "house-1"))]
    assert names == [("model", "parallel_requests"), ("account", "requests_per_minute")]
    names = [(one["level"], one["name"]) for one in at_once(built.status(caller(), T))]
    assert names == [("key", "tokens_per_minute"), ("account", "requests_per_minute")]


def test_what_admit_would_say_can_be_asked_and_counts_nothing() -> None:
    built = rate_limiter(requests_per_minute=1, tokens_per_minute=100, parallel_requests=5)
    assert at_once(built.refusal_of(caller(), MODEL, 100, T)) is None
    refused = at_once(built.refusal_of(caller(), MODEL, 101, T))
    assert refused is not None
    assert refused.should_retry is False
    assert used(built) == {"parallel_requests": 0, "requests_per_minute": 0, "tokens_per_minute": 0}
    at_once(built.admit(caller(), MODEL, 0, T, limit_headers))
    assert at_once(built.refusal_of(caller(), MODEL, 0, T)) is not None


def test_a_call_knows_what_it_passed() -> None:
    built = rate_limiter(requests_per_minute=10, tokens_per_minute=1_000, parallel_requests=3)
    at_once(built.admit(caller(), MODEL, 100, T, limit_headers))
    passed = at_once(built.admit(caller(), MODEL, 50, T, limit_headers)).passed
    assert [(one.kind, one.limit, one.before, one.after) for one in passed] == [
        ("parallel_requests", 3, 1, 2),
        ("requests_per_minute", 10, 1, 2),
        ("tokens_per_minute", 1_000, 100, 150),
    ]


def test_a_limit_lowered_below_what_is_in_flight_leaves_nothing_and_breaks_nothing() -> None:
    built = rate_limiter(parallel_requests=5)
    passes = [at_once(built.admit(caller(), MODEL, 0, T, limit_headers)) for _ in range(3)]
    built.rules.put(Rule(id="lim_1", level="account", object_id="acc_a", kind="parallel_requests", most=1))
    assert at_once(built.status(caller(), T))[0]["remaining"] == 0
    for admitted in passes:
        with pytest.raises(RateLimited):
            at_once(built.admit(caller(), MODEL, 0, T, limit_headers))
        at_once(admitted.release(USED, T))
    at_once(built.admit(caller(), MODEL, 0, T, limit_headers))


def test_without_limits_everybody_gets_in() -> None:
    built = rate_limiter()
    at_once(at_once(built.admit(caller(plan="gone"), MODEL, 10**9, T, limit_headers)).release(USED, T))
    assert at_once(built.status(caller(), T)) == []


def test_what_is_idle_is_forgotten() -> None:
    built = rate_limiter(requests_per_minute=1, tokens_per_minute=100)
    at_once(at_once(built.admit(caller(), MODEL, 100, T, limit_headers)).release(Usage(input=100), T))
    built.forget_idle(T + 59_999)
    with pytest.raises(RateLimited):
        at_once(built.admit(caller(), MODEL, 100, T + 59_999, limit_headers))
    built.forget_idle(T + 60_000)
    at_once(built.admit(caller(), MODEL, 100, T + 60_000, limit_headers))


@pytest.mark.parametrize("plan", [{"requests_per_minute": 1}, {"tokens_per_minute": 100}])
def test_a_clock_that_was_set_back_by_a_day_locks_nobody_out_for_a_day(plan: dict[str, int]) -> None:
    built = rate_limiter(**plan)
    at_once(at_once(built.admit(caller(), MODEL, 100, T, limit_headers)).release(Usage(input=100), T))
    now = T - 86_400_000
    built.forget_idle(now)
    with pytest.raises(RateLimited):
        at_once(built.admit(caller(), MODEL, 100, now + 59_999, limit_headers))
    at_once(built.admit(caller(), MODEL, 100, now + 60_000, limit_headers))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 300), st.integers(0, 9_000)), max_size=80))
def test_whatever_the_order_of_coming_and_going_no_limit_is_passed(walk: list[tuple[int, int, int]]) -> None:
    tight = Rule(id="lim_1", level="key", object_id="key_k", kind="parallel_requests", most=2)
    built = rate_limiter(tight, requests_per_minute=20, tokens_per_minute=1_000, parallel_requests=3)
    out: list[tuple[str, CountedCall | UnlimitedCall]] = []
    now = T
    for what, tokens, gap in walk:
        now += gap
        if what == 0 and out:
            at_once(out.pop(0)[1].release(Usage(input=tokens), now))
        else:
            key = "key_k" if what else "key_other"
            with suppress(RateLimited):
                out.append((key, at_once(built.admit(caller(key=key), MODEL, tokens, now, limit_headers))))
        standing = at_once(built.status(caller(), now))
        assert standing[0]["used"] == sum(key == "key_k" for key, _ in out) <= 2
        assert standing[1]["used"] == len(out) <= 3
        assert all(0 <= int(str(shown["remaining"])) <= int(str(shown["limit"])) for shown in standing)
    for _, admitted in out:
        at_once(admitted.release(Usage(), now))
    assert [shown["used"] for shown in at_once(built.status(caller(), now))][:2] == [0, 0]


def test_a_pass_says_how_every_limit_stood_and_stands_with_it() -> None:
    rule = Rule(id="lim_1", level="key", object_id="key_k", kind="requests_per_minute", most=9, model="house-*")
    built = rate_limiter(rule, requests_per_minute=5, tokens_per_minute=1_000, parallel_requests=3)
    first = at_once(built.admit(caller(), MODEL, 100, T, limit_headers))
    second = at_once(built.admit(caller(), MODEL, 40, T, limit_headers))
    told = [(one.kind, one.level, one.limit, one.before, one.after, one.model) for one in second.passed]
    assert told == [
        ("parallel_requests", "account", 3, 1, 2, ""),
        ("requests_per_minute", "key", 9, 1, 2, "house-*"),
        ("requests_per_minute", "account", 5, 1, 2, ""),
        ("tokens_per_minute", "account", 1_000, 100, 140, ""),
    ]
    assert [one.before for one in first.passed] == [0, 0, 0, 0]


@pytest.mark.parametrize("short", ["requests_per_minute", "tokens_per_minute", "parallel_requests"])
def test_what_would_refuse_a_call_is_told_without_counting_one(short: str) -> None:
    built = rate_limiter(**{"requests_per_minute": 2, "tokens_per_minute": 100, "parallel_requests": 2, short: 1})
    assert at_once(built.refusal_of(caller(), MODEL, 1, T)) is None
    at_once(built.admit(caller(), MODEL, 1, T, limit_headers))
    before = used(built)
    told = at_once(built.refusal_of(caller(), MODEL, 10, T))
    assert used(built) == before
    with pytest.raises(RateLimited) as refused:
        at_once(built.admit(caller(), MODEL, 10, T, limit_headers))
    assert told is not None
    assert (told.message, told.retry_after_ms) == (refused.value.message, refused.value.retry_after_ms)


def test_of_the_limits_on_models_a_call_is_shown_its_own() -> None:
    built = rate_limiter(
        Rule(id="lim_1", level="model", object_id="house-1", kind="requests_per_minute", most=9),
        Rule(id="lim_2", level="account", object_id="acc_a", kind="requests_per_minute", most=8, model="other"),
    )
    assert [(one["level"], one["limit"]) for one in at_once(built.status(caller(), T, "house-1"))] == [("model", 9)]


def test_a_body_that_is_still_to_come_keeps_a_place_and_takes_nothing_else() -> None:
    built = rate_limiter(parallel_requests=1, requests_per_minute=1, tokens_per_minute=100)
    slot = at_once(built.enter(caller(), T, limit_headers))
    assert used(built) == {"parallel_requests": 1, "requests_per_minute": 0, "tokens_per_minute": 0}
    with pytest.raises(RateLimited, match="parallel") as refused:
        at_once(built.enter(caller(), T, limit_headers))
    assert b"x-ratelimit-limit-requests" in dict(refused.value.headers)
    at_once(slot.release())
    with pytest.raises(AssertionError, match="once"):
        at_once(slot.release())
    assert used(built)["parallel_requests"] == 0


@pytest.mark.parametrize("short", ["requests_per_minute", "tokens_per_minute"])
def test_no_body_is_waited_for_where_nothing_more_is_let_in(short: str) -> None:
    built = rate_limiter(**{short: 0})
    with pytest.raises(RateLimited):
        at_once(built.enter(caller(), T, limit_headers))


def test_what_a_call_would_reserve_is_told_by_kind() -> None:
    built = rate_limiter()
    kinds = ("parallel_requests", "requests_per_minute", "tokens_per_minute", "nobody_knows")
    assert [built.reserved(kind, 70, Usage(requests=1)) for kind in kinds] == [1, 1, 70, 1]

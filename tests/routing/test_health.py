"""Circuit breakers walked through their states, and that nobody's fault opens somebody's circuit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.catalogue import Offer
from tollhouse.core.failure import (
    BadRequest,
    Failure,
    Overloaded,
    UpstreamBroke,
    UpstreamError,
    UpstreamRefusedKey,
    UpstreamSaturated,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from tollhouse.routing.circuit import FORGET_MS, PROBE_MS, QUIET_MS, RETRY_AFTER_MAX_MS, STEADY_MS, State
from tollhouse.routing.health import Blame, Health

A = Offer(provider="a", model="m")
A_OTHER = Offer(provider="a", model="other")
B = Offer(provider="b", model="m")
T = 1_790_000_000_000
ACC = "acc_1"


def fail(health: Health, now_ms: int, times: int = 1, offer: Offer = A, slot: int = 0) -> None:
    for _ in range(times):
        health.failed(ACC, offer, slot, UpstreamError("no"), "offer", None, now_ms)


def refuse(health: Health, now_ms: int, slot: int = 0, offer: Offer = A) -> None:
    health.failed(ACC, offer, slot, UpstreamRefusedKey("no"), "key", None, now_ms)


def saturate(health: Health, now_ms: int, after_ms: int | None, slot: int = 0) -> None:
    health.failed(ACC, A, slot, UpstreamSaturated("no"), "key", after_ms, now_ms)


def is_open(health: Health, now_ms: int, offer: Offer = A, slot: int = 0) -> bool:
    return health.closed_until(ACC, offer, slot, now_ms) is not None


def state(health: Health, now_ms: int, slot: int | None = None) -> State:
    return next((each.state for each in health.snapshot(now_ms) if each.slot == slot), "closed")


def test_health_without_failures_remembers_nothing() -> None:
    health = Health()
    health.begin(ACC, A, 0, T)
    health.succeeded(ACC, A, 0, T, T)
    assert health.untroubled()
    assert health.snapshot(T) == []


@pytest.mark.parametrize("kind", [UpstreamError, UpstreamTimeout, UpstreamBroke, UpstreamUnreachable, Overloaded])
def test_five_failures_in_a_row_open_an_offer_and_no_other(kind: type[Failure]) -> None:
    health = Health()
    for at in range(5):
        assert not is_open(health, T + at)
        health.failed(ACC, A, 0, kind("no"), "offer", None, T + at)
    assert health.closed_until(ACC, A, 0, T + 5) == (T + 4 + 5_000, "failing")
    assert is_open(health, T + 5, slot=3)
    assert not is_open(health, T + 5, A_OTHER)
    assert not is_open(health, T + 5, B)


def test_a_success_in_between_begins_the_row_anew() -> None:
    health = Health()
    fail(health, T, 4)
    health.succeeded(ACC, A, 0, T, T)
    fail(health, T, 4)
    assert not is_open(health, T)
    fail(health, T)
    assert is_open(health, T)


def test_half_of_the_last_twenty_open_an_offer_as_streams_that_begin_well_and_break() -> None:
    health = Health()
    for at in range(9):
        health.succeeded(ACC, A, 0, T + at, T + at)
        health.failed(ACC, A, 0, UpstreamBroke("cut"), "offer", None, T + at)
    assert not is_open(health, T + 10)
    health.succeeded(ACC, A, 0, T + 10, T + 10)
    health.failed(ACC, A, 0, UpstreamBroke("cut"), "offer", None, T + 10)
    assert is_open(health, T + 11)


def test_one_failure_in_three_does_not_open() -> None:
    health = Health()
    for at in range(0, 3000, 10):
        fail(health, T + at)
        health.succeeded(ACC, A, 0, T + at, T + at)
        health.succeeded(ACC, A, 0, T + at, T + at)
        assert not is_open(health, T + at)


def test_rare_failures_do_not_add_up() -> None:
    health = Health()
    for at in range(50):
        fail(health, T + at * (QUIET_MS + 1))
        assert not is_open(health, T + at * (QUIET_MS + 1))


def test_the_walk_open_probe_open_longer_probe_closed() -> None:
    health = Health()
    fail(health, T, 5)
    assert state(health, T) == "open"
    assert state(health, T + 5_000) == "half_open"
    assert not is_open(health, T + 5_000)
    health.begin(ACC, A, 0, T + 5_000)
    assert is_open(health, T + 5_001), "others keep away while the probe runs"
    fail(health, T + 5_100)
    assert health.closed_until(ACC, A, 0, T + 5_100) == (T + 5_100 + 10_000, "failing")
    health.begin(ACC, A, 0, T + 15_100)
    health.succeeded(ACC, A, 0, T + 15_200, T + 15_200)
    assert state(health, T + 15_200) == "closed"
    fail(health, T + 15_300, 4)
    assert not is_open(health, T + 15_300), "after closing it needs a whole row again"


def test_open_times_double_up_to_the_cap_and_are_short_again_after_a_steady_time() -> None:
    health = Health()
    fail(health, T, 5)
    now = T
    lengths = []
    for _ in range(8):
        closed = health.closed_until(ACC, A, 0, now)
        assert closed is not None
        lengths.append(closed[0] - now)
        now = closed[0]
        health.begin(ACC, A, 0, now)
        fail(health, now)
    assert lengths == [5_000, 10_000, 20_000, 40_000, 80_000, 120_000, 120_000, 120_000]
    now += 120_000
    health.begin(ACC, A, 0, now)
    health.succeeded(ACC, A, 0, now, now)
    now += STEADY_MS + 1
    fail(health, now, 5)
    assert health.closed_until(ACC, A, 0, now) == (now + 5_000, "failing")


def test_an_offer_that_flaps_is_left_alone_longer_each_time() -> None:
    health = Health()
    now, lengths = T, []
    for _ in range(3):
        fail(health, now, 5)
        closed = health.closed_until(ACC, A, 0, now)
        assert closed is not None
        lengths.append(closed[0] - now)
        now = closed[0]
        health.begin(ACC, A, 0, now)
        health.succeeded(ACC, A, 0, now, now)
    assert lengths == [5_000, 10_000, 20_000]


@pytest.mark.parametrize(("jitter", "open_ms"), [(0.0, 4_000), (0.5, 5_000), (0.999999, 5_999)])
def test_jitter_spreads_openings(jitter: float, open_ms: int) -> None:
    health = Health()
    for _ in range(5):
        health.failed(ACC, A, 0, UpstreamError("no"), "offer", None, T, jitter)
    assert health.closed_until(ACC, A, 0, T) == (T + open_ms, "failing")


def test_failures_of_calls_under_way_do_not_prolong_what_is_open() -> None:
    health = Health()
    fail(health, T, 5)
    fail(health, T + 1_000, 200)
    assert health.closed_until(ACC, A, 0, T + 1_000) == (T + 5_000, "failing")


def test_a_late_success_of_a_call_under_way_closes_nothing() -> None:
    health = Health()
    fail(health, T, 5)
    health.succeeded(ACC, A, 0, T - 1, T + 1_000)
    assert is_open(health, T + 1_000)


def test_a_probe_that_never_reports_does_not_block_for_ever() -> None:
    health = Health()
    fail(health, T, 5)
    health.begin(ACC, A, 0, T + 5_000)
    assert is_open(health, T + 5_000 + PROBE_MS - 1)
    assert not is_open(health, T + 5_000 + PROBE_MS)


@pytest.mark.parametrize("blame", ["request", "none"])
def test_a_probe_that_met_a_bad_request_lets_the_next_one_probe(blame: Blame) -> None:
    health = Health()
    fail(health, T, 5)
    health.begin(ACC, A, 0, T + 5_000)
    health.failed(ACC, A, 0, BadRequest("your fault"), blame, None, T + 5_010)
    assert state(health, T + 5_010) == "half_open"
    assert not is_open(health, T + 5_010)


def test_callers_faults_open_nothing() -> None:
    health = Health()
    for at in range(100):
        health.failed(ACC, A, 0, BadRequest("your fault"), "request", None, T + at)
    assert health.untroubled()


def test_a_refused_key_is_out_at_once_for_this_model_and_other_keys_stay() -> None:
    health = Health()
    refuse(health, T, slot=1)
    assert health.closed_until(ACC, A, 1, T) == (T + 10_000, "refused")
    assert not is_open(health, T, slot=0)
    assert not is_open(health, T, A_OTHER, slot=1)


def test_429_with_retry_after_is_honoured_to_the_millisecond_and_bounded() -> None:
    health = Health()
    saturate(health, T, 2_500)
    assert health.closed_until(ACC, A, 0, T) == (T + 2_500, "saturated")
    assert not is_open(health, T + 2_500)
    saturate(health, T + 3_000, 86_400_000)
    assert health.closed_until(ACC, A, 0, T + 3_000) == (T + 3_000 + RETRY_AFTER_MAX_MS, "saturated")


def test_a_longer_retry_after_of_a_call_under_way_prolongs() -> None:
    health = Health()
    saturate(health, T, 1_000)
    saturate(health, T + 100, 4_000)
    saturate(health, T + 200, 500)
    assert health.closed_until(ACC, A, 0, T + 200) == (T + 4_100, "saturated")


def test_429_without_retry_after_needs_three_in_a_row() -> None:
    health = Health()
    saturate(health, T, None)
    saturate(health, T, None)
    health.succeeded(ACC, A, 0, T, T)
    saturate(health, T, None)
    saturate(health, T, None)
    assert not is_open(health, T)
    saturate(health, T, None)
    assert health.closed_until(ACC, A, 0, T) == (T + 1_000, "saturated")


def test_the_longer_of_offer_and_key_says_until_when() -> None:
    health = Health()
    fail(health, T, 5)
    refuse(health, T)
    assert health.closed_until(ACC, A, 0, T) == (T + 10_000, "refused")
    assert health.closed_until(ACC, A, 1, T) == (T + 5_000, "failing")


def test_forgetting_a_provider_forgets_its_offers_and_keys_only() -> None:
    health = Health()
    fail(health, T, 5)
    refuse(health, T)
    fail(health, T, 5, B)
    health.forget("a")
    assert not is_open(health, T)
    assert is_open(health, T, B)


def test_the_snapshot_tells_offers_and_keys_apart() -> None:
    health = Health()
    fail(health, T, 5)
    refuse(health, T, slot=2)
    whole, key = health.snapshot(T + 1)
    assert (whole.provider, whole.model, whole.slot, whole.state, whole.cause) == ("a", "m", None, "open", "failing")
    assert (key.slot, key.state, key.cause, key.until_ms, key.failures) == (2, "open", "refused", T + 10_000, 1)


def test_a_recovered_offer_is_forgotten() -> None:
    health = Health()
    fail(health, T, 3)
    for at in range(20):
        health.succeeded(ACC, A, 0, T + at, T + at)
    health.sweep(T + FORGET_MS)
    assert not health.untroubled()
    health.sweep(T + FORGET_MS + 1)
    assert health.untroubled()


steps = st.lists(
    st.tuples(
        st.sampled_from(["begin", "ok", "offer", "key", "saturated", "after", "request", "wait"]),
        st.integers(0, 2),
        st.integers(0, 20_000),
    ),
    max_size=80,
)


@given(steps)
def test_whatever_happens_nobody_is_shut_out_for_good(walk: list[tuple[str, int, int]]) -> None:
    health, now = Health(), T
    for what, slot, amount in walk:
        match what:
            case "begin":
                health.begin(ACC, A, slot, now)
            case "ok":
                health.succeeded(ACC, A, slot, now, now)
            case "offer":
                fail(health, now, slot=slot)
            case "key":
                refuse(health, now, slot)
            case "saturated":
                saturate(health, now, None, slot)
            case "after":
                saturate(health, now, amount, slot)
            case "request":
                health.failed(ACC, A, slot, BadRequest("x"), "request", None, now)
            case _:
                now += amount
        for standing in health.snapshot(now):
            assert (standing.state == "closed") == (standing.until_ms is None)
            assert standing.until_ms is None or standing.until_ms - now <= RETRY_AFTER_MAX_MS * 1.2
    later = now + 2 * RETRY_AFTER_MAX_MS
    for slot in range(3):
        assert not is_open(health, later, slot=slot)
        health.begin(ACC, A, slot, later)
        health.succeeded(ACC, A, slot, later, later)
    assert all(state(health, later, slot) == "closed" for slot in (None, 0, 1, 2))

"""What one account provokes closes nothing to the others, a provider that is down is still left alone, in bounded
memory."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.core.catalogue import Offer
from tollhouse.core.failure import ContentRefused, Failure, UpstreamError, UpstreamRefusedKey, UpstreamSaturated
from tollhouse.routing.circuit import FORGET_MS, PROBE_MS, QUIET_MS
from tollhouse.routing.health import OWN_MAX, Blame, Health
from tollhouse.routing.panic import KNOWN_BURST, STRANGERS_BURST, STRANGERS_PER_SECOND, Allowance
from tollhouse.routing.served import ACCOUNTS_MAX

UP = Offer(provider="up", model="m")
OTHER = Offer(provider="other", model="m")
T = 1_790_000_000_000

BLAMES: list[tuple[Failure, Blame]] = [
    (UpstreamError("no"), "offer"),
    (UpstreamError("no"), "model"),
    (UpstreamRefusedKey("no"), "key"),
    (UpstreamSaturated("no"), "key"),
    (ContentRefused("no"), "doubtful"),
]


def may_ask(health: Health, account: str, now_ms: int = T, slot: int = 0) -> bool:
    return health.closed_until(account, UP, slot, now_ms) is None


def fail(health: Health, account: str, now_ms: int = T, times: int = 5) -> None:
    for _ in range(times):
        health.failed(account, UP, 0, UpstreamError("no"), "offer", None, now_ms)


def serve(health: Health, account: str, now_ms: int = T) -> None:
    health.begin(account, UP, 0, now_ms)
    health.succeeded(account, UP, 0, now_ms, now_ms)


@pytest.mark.parametrize(("failure", "blame"), BLAMES)
@pytest.mark.parametrize("retry_after_ms", [None, 300_000])
def test_what_one_account_met_is_its_own_wait(failure: Failure, blame: Blame, retry_after_ms: int | None) -> None:
    health = Health()
    serve(health, "b")
    for at in range(50):
        health.begin("a", UP, 0, T + at)
        health.failed("a", UP, 0, failure, blame, retry_after_ms, T + at)
    assert may_ask(health, "a", T + 50) == (blame == "doubtful")
    for at in range(1_000):
        assert may_ask(health, "b", T + 50 + at)
        serve(health, "b", T + 50 + at)


@pytest.mark.parametrize(("failure", "blame"), BLAMES)
def test_an_account_that_never_called_before_is_served_at_once_and_opens_again(failure: Failure, blame: Blame) -> None:
    health = Health()
    for account in ("a1", "a2", "a3"):
        for _ in range(5):
            health.failed(account, UP, 0, failure, blame, None, T)
    for at in range(KNOWN_BURST):
        assert may_ask(health, "b", T + at)
        serve(health, "b", T + at)
    assert all(one.state == "closed" for one in health.snapshot(T + KNOWN_BURST))


def test_a_retry_after_binds_the_account_that_met_it() -> None:
    health = Health()
    health.failed("a", UP, 0, UpstreamSaturated("no"), "key", 300_000, T)
    health.failed("b", UP, 0, UpstreamSaturated("no"), "key", 2_000, T)
    assert health.closed_until("a", UP, 0, T) == (T + 300_000, "saturated")
    assert health.closed_until("b", UP, 0, T) == (T + 2_000, "saturated")
    assert may_ask(health, "c")
    serve(health, "c", T + 1)
    assert not may_ask(health, "a", T + 299_999), "that somebody else was served ends no wait that was asked for"


def test_it_is_closed_to_all_once_every_account_that_called_met_failures() -> None:
    health = Health()
    serve(health, "b", T - QUIET_MS + 1_000)
    fail(health, "a")
    assert [one.state for one in health.snapshot(T)] == ["closed"], "b was served within the window"
    assert [one.accounts for one in health.snapshot(T)] == [1]
    fail(health, "b", T + 10)
    (standing,) = health.snapshot(T + 10)
    assert (standing.state, standing.accounts) == ("open", 2)


def test_one_that_is_served_and_fails_now_and_then_keeps_it_open_to_all() -> None:
    health = Health()
    for at in range(0, 60_000, 100):
        fail(health, "b", T + at, 1)
        serve(health, "b", T + at)
        fail(health, f"a{at % 7}", T + at, 1)
        assert may_ask(health, "c", T + at)
        assert health.snapshot(T + at)[0].state == "closed"


def test_the_only_account_that_calls_closes_it_to_all() -> None:
    health = Health()
    fail(health, "a")
    assert health.snapshot(T)[0].state == "open"


def test_when_it_is_closed_to_all_who_met_a_failure_waits_and_who_met_none_passes() -> None:
    health = Health()
    fail(health, "a")
    fail(health, "b", T, 1)
    assert not may_ask(health, "b", T + 1)
    assert may_ask(health, "c", T + 1)
    serve(health, "c", T + 1)
    assert may_ask(health, "b", T + 2), "one success opens it again"


def test_who_waited_because_the_provider_was_down_may_probe_as_soon_as_somebody_is_served() -> None:
    health, now = Health(), T
    for _ in range(8):
        fail(health, "a", now)
        closed = health.closed_until("a", UP, 0, now)
        assert closed is not None
        now = closed[0]
        health.begin("a", UP, 0, now)
    fail(health, "a", now)
    assert not may_ask(health, "a", now + 60_000)
    serve(health, "b", now + 60_000)
    assert may_ask(health, "a", now + 60_001)
    health.begin("a", UP, 0, now + 60_001)
    assert not may_ask(health, "a", now + 60_002), "with one probe at a time"
    fail(health, "a", now + 60_003, 1)
    assert not may_ask(health, "a", now + 120_000)


def test_strangers_pass_what_is_closed_to_all_at_a_bounded_rate_in_all() -> None:
    health, passed = Health(), 0
    fail(health, "a")
    seconds = 5
    for at in range(seconds * 1_000):
        account = f"new{at}"
        if may_ask(health, account, T + at):
            passed += 1
            health.begin(account, UP, 0, T + at)
            fail(health, account, T + at, 1)
    assert passed <= STRANGERS_BURST + STRANGERS_PER_SECOND * seconds + 1


def test_accounts_that_use_up_the_rate_of_strangers_keep_nobody_out_who_was_served_before() -> None:
    health = Health()
    serve(health, "b", T - 10 * QUIET_MS)
    fail(health, "a1")
    for at in range(1_000):
        if may_ask(health, f"new{at}"):
            health.begin(f"new{at}", UP, 0, T)
            fail(health, f"new{at}", T, 1)
    assert not may_ask(health, "another")
    assert may_ask(health, "b")
    serve(health, "b")
    assert may_ask(health, "another")


def test_attacks_on_one_key_or_offer_say_nothing_of_others() -> None:
    health = Health()
    fail(health, "a", T, 50)
    assert health.closed_until("a", OTHER, 0, T) is None
    health.failed("a", UP, 1, UpstreamRefusedKey("no"), "key", None, T)
    assert health.closed_until("b", UP, 0, T) is None


def test_a_doubtful_refusal_is_the_requests_until_a_second_account_meets_it() -> None:
    health = Health()

    def meet(account: str, now_ms: int) -> Blame:
        return health.failed(account, UP, 0, ContentRefused("no"), "doubtful", None, now_ms).blame

    assert [meet("a", T + at) for at in range(50)] == ["request"] * 50
    assert meet("b", T + 50) == "key"
    assert meet("a", T + 51) == "key"
    serve(health, "c", T + 52)
    assert meet("a", T + 53) == "request", "the key is good: somebody was served"
    assert meet("b", T + 54 + QUIET_MS) == "request", "too long ago"


def test_a_failure_that_may_open_nothing_is_noted_all_the_same() -> None:
    health = Health()
    for _ in range(10):
        verdict = health.failed("a", UP, 0, UpstreamError("no"), "offer", None, T, may_open=False)
        assert not verdict.opened
        assert may_ask(health, "a")
    assert health.failed("a", UP, 0, UpstreamError("no"), "offer", None, T).opened
    assert not may_ask(health, "a")


def test_a_probe_that_meets_a_doubtful_refusal_is_released() -> None:
    health = Health()
    fail(health, "a")
    health.begin("a", UP, 0, T + 5_000)
    health.failed("a", UP, 0, ContentRefused("no"), "doubtful", None, T + 5_001)
    assert may_ask(health, "a", T + 5_001)


def test_a_model_that_the_provider_does_not_serve_is_never_closed_to_all() -> None:
    health = Health()
    for account in ("a", "b", "c"):
        for _ in range(20):
            health.failed(account, UP, 0, UpstreamError("no"), "model", None, T)
        assert not may_ask(health, account)
    assert all(may_ask(health, f"new{at}") for at in range(200))


def test_memory_is_bounded_however_many_accounts_fail_and_are_served() -> None:
    health = Health()
    for at in range(3 * OWN_MAX):
        health.failed(f"a{at}", UP, 0, UpstreamError("no"), "offer", None, T + at)
    for at in range(10 * ACCOUNTS_MAX):
        serve(health, f"b{at}", T + at)
    assert health.size() <= OWN_MAX + 2 + ACCOUNTS_MAX
    health.sweep(T + 3 * OWN_MAX + FORGET_MS)
    assert health.size() <= ACCOUNTS_MAX
    assert health.untroubled()
    health.forget("up")
    assert health.size() == 0


def test_the_newest_of_those_who_were_served_are_remembered() -> None:
    health = Health()
    for at in range(10 * ACCOUNTS_MAX):
        serve(health, f"b{at}", T)
        serve(health, "steady", T + at)
    fail(health, "a", T + 10 * ACCOUNTS_MAX + QUIET_MS + 1)
    for at in range(1_000):
        health.begin(f"new{at}", UP, 0, T + 10 * ACCOUNTS_MAX + QUIET_MS + 1)
    assert may_ask(health, "steady", T + 10 * ACCOUNTS_MAX + QUIET_MS + 1)


def test_good_health_remembers_no_circuit() -> None:
    health = Health()
    for at in range(1_000):
        serve(health, f"b{at}", T + at)
    assert health.untroubled()
    assert health.snapshot(T + 1_000) == []


@pytest.mark.parametrize("accounts", [1, 5, 100, 5_000])
@pytest.mark.parametrize("served_before", [False, True])
def test_a_provider_that_is_down_is_left_alone_by_all_together(accounts: int, served_before: bool) -> None:
    """Ten minutes at 50 calls a second. Each account may find out for itself, and a few are let through."""
    health, draw, attempts = Health(), Random(5), 0
    if served_before:
        for number in range(accounts):
            serve(health, f"acc{number}", T - 1)
    calls = 600 * 50
    for call in range(calls):
        now, account = T + call * 20, f"acc{draw.randrange(accounts)}"
        if may_ask(health, account, now):
            health.begin(account, UP, 0, now)
            fail(health, account, now, 1)
            attempts += 1
    assert attempts < calls / 5
    serve(health, "anybody", T + 600_000)
    assert all(may_ask(health, f"acc{account}", T + 600_001) for account in range(accounts))


def test_an_allowance_is_a_burst_and_a_rate_and_debts_are_paid() -> None:
    allowance = Allowance(2, 1)
    taken = 0
    for at in range(10_000):
        if allowance.any(T + at):
            allowance.take(T + at)
            taken += 1
    assert taken == 2 + 9
    for _ in range(5):
        allowance.take(T + 10_000)
    assert not allowance.any(T + 14_000)
    assert allowance.any(T + 16_000)


steps = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from(["ok", "offer", "model", "key", "saturated", "after", "doubtful", "request", "wait"]),
        st.integers(0, 1),
        st.integers(0, 40_000),
    ),
    max_size=60,
)


@given(steps)
def test_whatever_others_do_an_account_that_fails_at_nothing_is_always_served(
    walk: list[tuple[str, str, int, int]],
) -> None:
    health, now = Health(), T
    for account, what, slot, amount in walk:
        if what == "wait":
            now += amount
        elif health.closed_until(account, UP, slot, now) is None:
            health.begin(account, UP, slot, now)
            if what == "ok":
                health.succeeded(account, UP, slot, now, now)
            elif what in ("saturated", "after"):
                after = amount if what == "after" else None
                health.failed(account, UP, slot, UpstreamSaturated("x"), "key", after, now)
            else:
                blame: Blame = what  # type: ignore[assignment]
                health.failed(account, UP, slot, UpstreamError("x"), blame, None, now)
        assert all(health.closed_until("quiet", UP, slot, now) is None for slot in (0, 1))
    health.begin("quiet", UP, 0, now)
    health.succeeded("quiet", UP, 0, now, now)
    assert health.closed_until("quiet", UP, 0, now + PROBE_MS) is None

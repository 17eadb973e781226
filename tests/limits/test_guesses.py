"""Wrong guesses in a row: ten are free, then each waits longer; a right one forgets them."""

import pytest

from tollhouse.core.failure import RateLimited
from tollhouse.limits.guesses import FORGOTTEN_AFTER_MS, FREE, KEPT_MAX, WAIT_MS, WAIT_MS_MAX, Guesses

NOW = 1_800_000_000_000


def wrong(guesses: Guesses, times: int, now_ms: int = NOW) -> None:
    for _ in range(times):
        guesses.wrong("anna", now_ms)


@pytest.mark.parametrize(
    ("times", "wait_ms"),
    [(FREE - 1, 0), (FREE, WAIT_MS), (FREE + 1, 2 * WAIT_MS), (FREE + 4, WAIT_MS_MAX), (FREE + 500, WAIT_MS_MAX)],
)
def test_wait_grows_to_a_quarter_of_an_hour(times: int, wait_ms: int) -> None:
    guesses = Guesses("codes")
    wrong(guesses, times)
    if wait_ms:
        with pytest.raises(RateLimited) as caught:
            guesses.require_none_due("anna", NOW + wait_ms - 1)
        assert caught.value.retry_after_ms == 1
    guesses.require_none_due("anna", NOW + wait_ms)
    guesses.require_none_due("berta", NOW)


def test_right_one_forgets_the_wrong_ones() -> None:
    guesses = Guesses("codes")
    wrong(guesses, FREE)
    guesses.right("anna")
    guesses.require_none_due("anna", NOW)


def test_clock_that_was_set_back_makes_nobody_wait_longer() -> None:
    guesses = Guesses("codes")
    wrong(guesses, FREE)
    with pytest.raises(RateLimited) as caught:
        guesses.require_none_due("anna", NOW - 10 * WAIT_MS)
    assert caught.value.retry_after_ms == WAIT_MS


def test_subjects_are_forgotten_after_a_day_and_beyond_a_number() -> None:
    guesses = Guesses("codes")
    wrong(guesses, FREE)
    guesses.sweep(NOW + FORGOTTEN_AFTER_MS)
    guesses.require_none_due("anna", NOW)
    wrong(guesses, FREE)
    for number in range(KEPT_MAX):
        guesses.wrong(f"invented {number}", NOW)
    guesses.require_none_due("anna", NOW)


def test_right_one_forgets_and_a_sweep_keeps_what_is_fresh() -> None:
    guesses = Guesses("codes")
    wrong(guesses, FREE)
    guesses.right("anna")
    guesses.require_none_due("anna", NOW)
    wrong(guesses, FREE)
    guesses.sweep(NOW + FORGOTTEN_AFTER_MS - 1)
    with pytest.raises(RateLimited):
        guesses.require_none_due("anna", NOW)
    guesses.sweep(NOW + FORGOTTEN_AFTER_MS)
    guesses.require_none_due("anna", NOW)

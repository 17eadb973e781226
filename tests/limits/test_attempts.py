"""Attempts at what must not be guessed: so many a minute, of an account and from an address."""

import pytest

from tollhouse.core.failure import RateLimited
from tollhouse.limits.attempts import PER_MINUTE, Attempts

T = 1_790_000_000_000


def tries() -> Attempts:
    return Attempts("attempts to redeem a code")


def test_an_account_has_ten_a_minute_and_then_one_each_six_seconds() -> None:
    attempts = tries()
    for number in range(PER_MINUTE):
        attempts.admit("acc_a", f"203.0.113.{number}", T)
    with pytest.raises(RateLimited, match="10 attempts to redeem a code per minute of the account acc_a") as caught:
        attempts.admit("acc_a", "203.0.113.99", T)
    assert caught.value.retry_after_ms == 6_000
    attempts.admit("acc_b", "203.0.113.99", T)
    attempts.admit("acc_a", "203.0.113.99", T + 6_000)


def test_an_address_has_no_more_with_many_accounts() -> None:
    attempts = tries()
    for number in range(PER_MINUTE):
        attempts.admit(f"acc_{number}", f"2001:db8::{number + 1:x}", T)
    with pytest.raises(RateLimited, match="of the address 2001:db8::/64"):
        attempts.admit("acc_new", "2001:db8::ffff", T)
    for address in (None, "unix:"):
        attempts.admit("acc_new", address, T)


def test_a_refused_attempt_is_counted_nowhere() -> None:
    attempts = tries()
    for _ in range(PER_MINUTE):
        attempts.admit("acc_a", None, T)
    for _ in range(3):
        with pytest.raises(RateLimited):
            attempts.admit("acc_a", "203.0.113.9", T)
    for _ in range(PER_MINUTE):
        attempts.admit("acc_b", "203.0.113.9", T)


def test_who_has_stopped_trying_is_forgotten() -> None:
    attempts = tries()
    for _ in range(PER_MINUTE):
        attempts.admit("acc_a", None, T)
    attempts.sweep(T + 5_999)
    with pytest.raises(RateLimited):
        attempts.admit("acc_a", None, T + 5_999)
    attempts.sweep(T + 60_000)
    for _ in range(PER_MINUTE):
        attempts.admit("acc_a", None, T + 60_000)

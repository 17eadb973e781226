"""Calls per minute from one client address."""

import pytest

from tollhouse.core.failure import RateLimited
from tollhouse.limits.addresses import AddressRate, network_of

T = 1_790_000_000_000


@pytest.mark.parametrize(
    ("address", "counter_key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("unix:", None),
        ("", None),
        ("203.0.113.9, 203.0.113.10", None),
    ],
)
def test_who_counts_as_one_caller(address: str, counter_key: str | None) -> None:
    assert network_of(address) == counter_key


def test_an_address_has_so_many_calls_a_minute_and_the_next_one_its_own() -> None:
    rate = AddressRate(2, "ops@toll.example")
    rate.admit("203.0.113.9", T)
    rate.admit("203.0.113.9", T)
    with pytest.raises(RateLimited, match=r"2 requests per minute of the address 203\.0\.113\.9 .*ops@toll"):
        rate.admit("203.0.113.9", T)
    rate.admit("203.0.113.10", T)
    rate.admit("203.0.113.9", T + 30_000)


def test_an_ipv6_network_does_not_multiply_its_limit_by_its_addresses() -> None:
    rate = AddressRate(3)
    for host in range(3):
        rate.admit(f"2001:db8::{host + 1:x}", T)
    with pytest.raises(RateLimited):
        rate.admit("2001:db8::ffff", T)


def test_no_limit_and_no_address_count_nothing() -> None:
    unlimited, none = AddressRate(None), AddressRate(0)
    for _ in range(100):
        unlimited.admit("203.0.113.9", T)
        none.admit("unix:", T)
    with pytest.raises(RateLimited):
        none.admit("203.0.113.9", T)


def test_it_forgets_who_has_gone() -> None:
    rate = AddressRate(1)
    rate.admit("203.0.113.9", T)
    rate.sweep(T + 30_000)
    with pytest.raises(RateLimited):
        rate.admit("203.0.113.9", T + 30_000)
    rate.sweep(T + 60_000)
    rate.admit("203.0.113.9", T + 60_000)
    rate.sweep(T - 86_400_000)
    rate.admit("203.0.113.9", T - 86_400_000 + 60_000)

"""Allowed networks: both families, addresses inside addresses, and nothing allowed by mistake."""

from ipaddress import IPv4Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.access.networks import allowed, read_network
from tollhouse.core.failure import BadRequest


@pytest.mark.parametrize(
    ("address", "networks", "verdict"),
    [
        ("192.0.2.7", (), True),
        ("not an address", (), True),
        ("192.0.2.7", ("192.0.2.0/24",), True),
        ("192.0.3.7", ("192.0.2.0/24",), False),
        ("192.0.3.7", ("192.0.2.0/24", "192.0.3.7"), True),
        ("::ffff:192.0.2.7", ("192.0.2.0/24",), True),
        ("::ffff:192.0.3.7", ("192.0.2.0/24",), False),
        ("192.0.2.7", ("::ffff:192.0.2.0/120",), True),
        ("::ffff:192.0.2.7", ("::ffff:c000:200/120",), True),
        ("192.0.2.7", ("::/0",), False),
        ("2001:db8::1", ("0.0.0.0/0",), False),
        ("2001:db8::1", ("2001:db8::/32",), True),
        ("2001:DB8:0:0::1", ("2001:db8::/32",), True),
        ("fe80::1%eth0", ("fe80::/10",), True),
        ("", ("0.0.0.0/0", "::/0"), False),
        ("unknown", ("0.0.0.0/0", "::/0"), False),
        ("192.0.2.7", ("nonsense",), False),
        ("192.0.2.7", ("nonsense", "192.0.2.0/24"), True),
    ],
)
def test_verdicts(address: str, networks: tuple[str, ...], verdict: bool) -> None:
    assert allowed(address, networks) is verdict


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(0, 32))
def test_mapped_and_plain_addresses_always_get_the_same_verdict(
    address: IPv4Address, base: IPv4Address, bits: int
) -> None:
    network = ip_network(f"{base}/{bits}", strict=False)
    plain = allowed(str(address), (str(network),))
    assert plain is (address in network)
    assert allowed(f"::ffff:{address}", (str(network),)) is plain
    assert allowed(str(address), (f"::ffff:{network.network_address}/{96 + bits}",)) is plain
    assert allowed(str(ip_address(f"::ffff:{address}")), (str(network),)) is plain


def test_bits_behind_the_prefix_are_refused_with_the_network_that_was_probably_meant() -> None:
    with pytest.raises(BadRequest, match=r"did you mean 10\.0\.0\.0/8\?") as caught:
        read_network("10.1.2.3/8")
    assert caught.value.param == "networks"


@pytest.mark.parametrize(
    "text", ["", "10.0.0.0/33", "10.0.0", "fe80::/129", "example.com", "0.0.0.0/0,::/0", "١٠.0.0.0/8"]
)
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(BadRequest, match="CIDR"):
        read_network(text)

"""Who is at the other end: forwarded headers are believed from trusted proxies only, read from right to left."""

import pytest

from tollhouse.edge.exchange import Scope
from tollhouse.edge.forwarded import TrustedProxies

NOBODY = TrustedProxies(())
PROXIES = TrustedProxies(("10.0.0.0/8", "2001:db8::/32", "::1/128"))


def scope(peer: str, *forwarded: str, scheme: str = "http", proto: str | None = None) -> Scope:
    headers = [(b"x-forwarded-for", hops.encode()) for hops in forwarded]
    if proto is not None:
        headers.append((b"x-forwarded-proto", proto.encode()))
    return {"client": (peer, 1234) if peer else None, "headers": headers, "scheme": scheme}


def client(proxies: TrustedProxies, peer: str, *forwarded: str) -> str:
    asked = scope(peer, *forwarded)
    return proxies.client(asked, asked["headers"])


@pytest.mark.parametrize("peer", ["203.0.113.9", "10.0.0.1", "127.0.0.1", "::1"])
def test_without_trusted_proxies_the_header_means_nothing(peer: str) -> None:
    assert client(NOBODY, peer, "198.51.100.1") == peer
    assert client(NOBODY, peer) == peer


def test_a_stranger_cannot_say_who_he_is() -> None:
    assert client(PROXIES, "203.0.113.9", "198.51.100.1") == "203.0.113.9"
    assert client(PROXIES, "", "198.51.100.1") == ""


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        (("198.51.100.1",), "198.51.100.1"),
        (("198.51.100.1, 10.0.0.7",), "198.51.100.1"),
        (("198.51.100.1", "10.0.0.7"), "198.51.100.1"),
        (("127.0.0.1, 198.51.100.1",), "198.51.100.1"),  # what the caller himself put in front
        (("10.0.0.99, 198.51.100.1, 10.0.0.7",), "198.51.100.1"),
        (("10.0.0.7, 10.0.0.8",), "10.0.0.7"),
        ((" 198.51.100.1 ,\t10.0.0.7 ",), "198.51.100.1"),
        (("2001:db9::1, 2001:db8::7",), "2001:db9::1"),
        ((), "10.0.0.1"),
        (("",), "10.0.0.1"),
        (("unknown",), "10.0.0.1"),
        (("198.51.100.1, unknown",), "10.0.0.1"),
        (("198.51.100.1, unknown, 10.0.0.7",), "10.0.0.7"),
        (("198.51.100.1:443",), "10.0.0.1"),
        (("\xff",), "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_names_the_first_stranger_from_the_right(forwarded: tuple[str, ...], found: str) -> None:
    assert client(PROXIES, "10.0.0.1", *forwarded) == found


def test_an_address_that_is_mapped_into_ipv6_is_the_same_address() -> None:
    assert client(PROXIES, "::ffff:10.0.0.1", "198.51.100.1") == "198.51.100.1"
    assert client(PROXIES, "::ffff:203.0.113.9", "198.51.100.1") == "::ffff:203.0.113.9"
    assert client(PROXIES, "10.0.0.1", "198.51.100.1, ::ffff:10.0.0.7") == "198.51.100.1"


@pytest.mark.parametrize("peer", ["not-an-address", "10.0.0.1%eth0", "/run/socket"])
def test_a_peer_without_an_address_is_trusted_by_nobody(peer: str) -> None:
    assert client(PROXIES, peer, "198.51.100.1") == peer


@pytest.mark.parametrize(
    ("peer", "proto", "found"),
    [
        ("10.0.0.1", "https", "https"),
        ("10.0.0.1", "HTTPS", "https"),
        ("10.0.0.1", "http", "http"),
        ("10.0.0.1", None, "http"),
        ("10.0.0.1", "javascript", "http"),
        ("10.0.0.1", "https, http", "http"),
        ("203.0.113.9", "https", "http"),
        ("", "https", "http"),
    ],
)
def test_the_scheme_is_believed_from_the_same_people(peer: str, proto: str | None, found: str) -> None:
    assert PROXIES.scheme(scope(peer, proto=proto)) == found
    assert NOBODY.scheme(scope(peer, proto=proto)) == "http"

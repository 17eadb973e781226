"""Who is at the other end: forwarded headers are believed from trusted proxies only, read from right to left."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollhouse.edge.forwarded import TrustedProxies

NOBODY = TrustedProxies(())
PROXIES = TrustedProxies(("10.0.0.0/8", "2001:db8::/32", "::1/128"))


def client(proxies: TrustedProxies, peer: str, *forwarded: str) -> str:
    return proxies.client(peer, [(b"x-forwarded-for", hops.encode()) for hops in forwarded])


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
        (("198.51.100.1,10.0.0.7",), "198.51.100.1"),
        (("198.51.100.1", "10.0.0.7"), "198.51.100.1"),
        (("203.0.113.1, 198.51.100.1", "10.0.0.7, 10.0.0.8"), "198.51.100.1"),
        (("127.0.0.1, 198.51.100.1",), "198.51.100.1"),  # what the caller himself put in front
        (("10.0.0.99, 198.51.100.1, 10.0.0.7",), "198.51.100.1"),
        (("10.0.0.7, 10.0.0.8",), "10.0.0.7"),
        ((" 198.51.100.1 ,\t10.0.0.7 ",), "198.51.100.1"),
        (("198.51.100.1,, ,10.0.0.7,",), "198.51.100.1"),
        (("2001:db9::1, 2001:db8::7",), "2001:db9::1"),
        (("2001:DB9:0:0:0:0:0:1",), "2001:db9::1"),
        (("[2001:db9::1]",), "2001:db9::1"),
        (("[2001:db9::1]:443, [2001:db8::7]:1",), "2001:db9::1"),
        (("2001:db9:0:0:0:0:0:1:443",), "2001:db9::1"),
        (("fe80::1%eth0",), "fe80::1"),
        (("[fe80::1%25eth0]:80",), "fe80::1"),
        (("198.51.100.1:443",), "198.51.100.1"),
        (("198.51.100.1:61598, 10.0.0.7:80",), "198.51.100.1"),
        (('"198.51.100.1"',), "198.51.100.1"),
        (('"[2001:db9::1]:4711"',), "2001:db9::1"),
        (("::ffff:198.51.100.1",), "198.51.100.1"),
        (("[::ffff:198.51.100.1]:1",), "198.51.100.1"),
        ((), "10.0.0.1"),
        (("",), "10.0.0.1"),
        (("unknown",), "10.0.0.1"),
        (("_hidden",), "10.0.0.1"),
        (("198.51.100.1, unknown",), "10.0.0.1"),
        (("198.51.100.1, unknown, 10.0.0.7",), "10.0.0.7"),
        (("198.51.100.1, _hidden, 10.0.0.7",), "10.0.0.7"),
        (("\xff",), "10.0.0.1"),
        (("localhost",), "10.0.0.1"),
        (("proxy.example:443",), "10.0.0.1"),
        (("198.51.100.1:",), "198.51.100.1"),
        (("198.51.100.1:x",), "10.0.0.1"),
        (("198.51.100.1:443:443",), "10.0.0.1"),
        (("[198.51.100.1]:443",), "10.0.0.1"),
        (("[2001:db9::1",), "10.0.0.1"),
        (("[2001:db9::1]443",), "10.0.0.1"),
        (("198.051.100.001",), "10.0.0.1"),
        (("3325256705",), "10.0.0.1"),
        (("0xc6336401",), "10.0.0.1"),
        (("198.51.100.1/32",), "10.0.0.1"),
        (("198.51.100.1; 10.0.0.7",), "10.0.0.1"),
        (("198.51.100.1 10.0.0.7",), "10.0.0.1"),
        (("for=198.51.100.1",), "10.0.0.1"),
        (("9" * 1000,), "10.0.0.1"),
    ],
)
def test_a_trusted_proxy_names_the_first_stranger_from_the_right(forwarded: tuple[str, ...], found: str) -> None:
    assert client(PROXIES, "10.0.0.1", *forwarded) == found


def standard(proxies: TrustedProxies, *values: str, peer: str = "10.0.0.1") -> tuple[str, str]:
    headers = [(b"forwarded", value.encode("latin-1")) for value in values]
    return proxies.client(peer, headers), proxies.scheme(peer, headers, "http")


@pytest.mark.parametrize(
    ("values", "found", "scheme"),
    [
        (("for=198.51.100.1",), "198.51.100.1", "http"),
        (("For=198.51.100.1;Proto=HTTPS;by=203.0.113.43;host=x",), "198.51.100.1", "https"),
        (('for="198.51.100.1:4711"',), "198.51.100.1", "http"),
        (('for="[2001:db9:cafe::17]:4711"',), "2001:db9:cafe::17", "http"),
        (('for="[2001:db9:cafe::17]"',), "2001:db9:cafe::17", "http"),
        (('for="[2001:db9::1]:_p8"',), "2001:db9::1", "http"),
        (("for=[2001:db9::1]",), "2001:db9::1", "http"),  # no token, and written all the same
        (("for=198.51.100.1, for=10.0.0.7",), "198.51.100.1", "http"),
        (("for=198.51.100.1;proto=http, for=10.0.0.7;proto=https",), "198.51.100.1", "https"),
        (("for=203.0.113.1, for=198.51.100.1", "for=10.0.0.7"), "198.51.100.1", "http"),
        ((" for = 198.51.100.1 ; proto = https ",), "198.51.100.1", "https"),
        (('for="198.51.100\\.1"',), "198.51.100.1", "http"),
        (('host="a,for=203.0.113.9;x";for=198.51.100.1',), "198.51.100.1", "http"),
        (("for=unknown",), "10.0.0.1", "http"),
        (("for=_hidden",), "10.0.0.1", "http"),
        (('for="_SEVKISEK"; proto=https',), "10.0.0.1", "https"),
        (("for=198.51.100.1, for=unknown, for=10.0.0.7",), "10.0.0.7", "http"),
        (("for=198.51.100.1, proto=https",), "10.0.0.1", "https"),
        (("for=198.51.100.1, for",), "10.0.0.1", "http"),
        (('for=192.0.2.66;a=", for="198.51.100.1:80"',), "198.51.100.1", "http"),  # a caller left the mark open
        (('for=192.0.2.66;a="\\", for="198.51.100.1:80", for=10.0.0.7',), "198.51.100.1", "http"),
        (('for="192.0.2.66, for=198.51.100.1',), "198.51.100.1", "http"),
        (('host="\\"";for=198.51.100.1',), "198.51.100.1", "http"),
        (('for="198.51.100.1',), "10.0.0.1", "http"),
        (("198.51.100.1",), "10.0.0.1", "http"),
        (("",), "10.0.0.1", "http"),
        ((";,;,=,",), "10.0.0.1", "http"),
        (("proto=ftp;for=198.51.100.1",), "198.51.100.1", "http"),
    ],
)
def test_the_standard_header_says_the_same(values: tuple[str, ...], found: str, scheme: str) -> None:
    assert standard(PROXIES, *values) == (found, scheme)
    assert standard(TrustedProxies(("10.0.0.0/8",), "Forwarded"), *values) == (found, scheme)
    assert standard(PROXIES, *values, peer="203.0.113.9") == ("203.0.113.9", "http")


FORGED = "192.0.2.66"


@pytest.mark.parametrize(
    ("header", "sent", "found"),
    [
        # the proxy writes X-Forwarded-For, and passes on what it does not know
        ("", {"x-forwarded-for": "198.51.100.1", "forwarded": f"for={FORGED}"}, "198.51.100.1"),
        ("", {"x-forwarded-for": "198.51.100.1", "x-real-ip": FORGED}, "198.51.100.1"),
        ("", {"x-forwarded-for": f"{FORGED}, 198.51.100.1", "forwarded": f"for={FORGED}"}, "198.51.100.1"),
        ("", {"x-forwarded-for": "unknown", "forwarded": f"for={FORGED}"}, "10.0.0.1"),
        ("", {"x-real-ip": FORGED}, "10.0.0.1"),
        ("", {"client-ip": FORGED, "true-client-ip": FORGED, "cf-connecting-ip": FORGED}, "10.0.0.1"),
        ("", {"x-client-ip": FORGED, "x-cluster-client-ip": FORGED, "x-originating-ip": FORGED}, "10.0.0.1"),
        # it writes another one
        ("forwarded", {"x-forwarded-for": FORGED, "forwarded": "for=198.51.100.1"}, "198.51.100.1"),
        ("Forwarded", {"x-forwarded-for": FORGED}, "10.0.0.1"),
        ("x-forwarded-for", {"forwarded": f"for={FORGED}"}, "10.0.0.1"),
        ("X-Real-IP", {"x-forwarded-for": FORGED, "x-real-ip": "198.51.100.1"}, "198.51.100.1"),
        ("X-Real-IP", {"x-forwarded-for": FORGED, "forwarded": f"for={FORGED}"}, "10.0.0.1"),
        ("CF-Connecting-IP", {"cf-connecting-ip": "2001:db9::1", "x-forwarded-for": FORGED}, "2001:db9::1"),
        ("X-Azure-ClientIP", {"x-azure-clientip": "198.51.100.1:1", "x-forwarded-for": FORGED}, "198.51.100.1"),
    ],
)
def test_a_header_that_the_proxy_does_not_write_is_never_believed(
    header: str, sent: dict[str, str], found: str
) -> None:
    headers = [(name.encode(), value.encode()) for name, value in sent.items()]
    proxies = TrustedProxies(("10.0.0.0/8",), header)
    assert proxies.client("10.0.0.1", headers) == found


def test_the_scheme_is_read_where_the_proxy_writes_it() -> None:
    headers = [(b"x-forwarded-proto", b"https"), (b"forwarded", b"for=198.51.100.1;proto=http")]
    assert TrustedProxies(("10.0.0.0/8",)).scheme("10.0.0.1", headers, "http") == "https"
    assert TrustedProxies(("10.0.0.0/8",), "X-Real-IP").scheme("10.0.0.1", headers, "http") == "https"
    assert TrustedProxies(("10.0.0.0/8",), "forwarded").scheme("10.0.0.1", headers, "http") == "http"


@pytest.mark.parametrize("value", ["10.0.0.1," * 5_000, "," * 60_000, "198.51.100.1," + "10.0.0.7," * 5_000])
def test_a_chain_without_end_is_read_as_far_as_is_allowed(value: str) -> None:
    assert client(PROXIES, "10.0.0.1", value) in ("10.0.0.1", "10.0.0.7")


@pytest.mark.parametrize(
    "value", ["for=10.0.0.7," * 5_000, "," * 60_000, '"' * 60_000, "\\" * 60_000, 'for="\\\\"' * 9]
)
def test_a_standard_chain_without_end_is_read_as_far_as_is_allowed(value: str) -> None:
    assert standard(PROXIES, value)[0] in ("10.0.0.1", "10.0.0.7")


@given(st.lists(st.binary(max_size=200), max_size=3), st.sampled_from([b"x-forwarded-for", b"forwarded", b"x-real-ip"]))
def test_whatever_a_proxy_writes_there_is_an_address(values: list[bytes], name: bytes) -> None:
    headers = [(name, value) for value in values]
    assert ip_address(TrustedProxies(("10.0.0.0/8",), name.decode()).client("10.0.0.1", headers))


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
    headers = [] if proto is None else [(b"x-forwarded-proto", proto.encode())]
    assert PROXIES.scheme(peer, headers, "http") == found
    assert NOBODY.scheme(peer, headers, "http") == "http"

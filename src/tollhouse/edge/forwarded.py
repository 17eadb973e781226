"""Who is at the other end: the peer's address, or what a trusted proxy in front of us says it is.

Proxies write the caller in `X-Forwarded-For`, in `Forwarded` (RFC 7239), or in a header of their own that the operator
names; each in several forms, which docs/inputs.md lists. A header says something only if a trusted proxy sent it, and
is read from the right, up to the first address that no trusted proxy has: what stands left of it, anybody may have
written.
"""

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from tollhouse.core.upstream import Headers

HOPS_MAX: Final = 50
"""Hops of a chain that are read, from the right."""
_NODE_CHARACTERS_MAX: Final = 64
_STANDARD: Final = "forwarded"
_DE_FACTO: Final = b"x-forwarded-for"
_PROTO: Final = b"x-forwarded-proto"
_CHARACTERS_MAX: Final = 2_048
"""Of each header, from the right."""
_ESCAPE = re.compile(r"\\(.)")
_PORT = re.compile(r"[0-9]{1,5}|_[A-Za-z0-9._-]+", re.ASCII)

Address = IPv4Address | IPv6Address


class TrustedProxies:
    """`networks`: CIDR texts. Nobody is trusted by default; then forwarded headers mean nothing. `header`: the one that
    these proxies write, in any case; empty: X-Forwarded-For, and where there is none Forwarded."""

    def __init__(self, networks: tuple[str, ...], header: str = "") -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(ip_network(n, strict=False) for n in networks)
        self._header = header.lower()

    def client(self, peer: str, headers: Headers) -> str:
        """The caller's address: from the right of the header, the first that is no trusted proxy. peer: the address at
        the other end of the connection, empty where it has none."""
        if not self._networks or not self.trusts(peer):
            return peer
        address = peer
        for _, hop in zip(range(HOPS_MAX), self._hops(headers), strict=False):
            found = _address(hop)
            if found is None:
                break
            address = str(found)
            if not self._holds(found):
                break
        return address

    def scheme(self, peer: str, headers: Headers, scheme: str) -> str:
        """How the caller reached us: what the nearest trusted proxy says, else the scheme of this connection."""
        if not self._networks or not self.trusts(peer):
            return scheme
        said = [] if self._header == _STANDARD else _values(headers, _PROTO)
        if not said and self._header in ("", _STANDARD):
            said = [next(_elements(headers), {}).get("proto", "")]
        last = said[-1].strip().lower()
        return last if last in ("http", "https") else scheme

    def trusts(self, address: str) -> bool:
        try:
            return self._holds(ip_address(address))
        except ValueError:
            return False

    def _holds(self, address: Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None) or address
        return any(mapped in network for network in self._networks)

    def _hops(self, headers: Headers) -> Iterator[str]:
        """What the hops are called, the nearest first."""
        name = self._header.encode("latin-1") if self._header else _DE_FACTO
        listed = _values(headers, name) if self._header != _STANDARD else []
        if listed or self._header not in ("", _STANDARD):
            yield from _from_the_right(listed)
        else:
            yield from (one.get("for", "") for one in _elements(headers))


def _values(headers: Headers, name: bytes) -> list[str]:
    return [value.decode("latin-1") for seen, value in headers if seen == name]


def _from_the_right(values: list[str]) -> Iterator[str]:
    """The elements of lists that several headers of one name may hold; an empty element says nothing."""
    for value in reversed(values):
        elements = value[-_CHARACTERS_MAX:].split(",")
        if len(value) > _CHARACTERS_MAX:
            del elements[0]  # it may be cut
        yield from (element for element in reversed(elements) if element.strip())


def _elements(headers: Headers) -> Iterator[dict[str, str]]:
    """The elements of `Forwarded`, the nearest proxy's first, each by its parameters in small letters.

    They are read from the right: what a trusted proxy wrote there is whole, but a caller may have left a quotation mark
    open before it, which would swallow it.
    """
    for value in reversed(_values(headers, _STANDARD.encode())):
        tail = value[-_CHARACTERS_MAX:]
        element: dict[str, str] = {}
        end, quoted = len(tail), False
        for place in range(len(tail) - 1, -2, -1):
            letter = tail[place] if place >= 0 else ","
            if letter == '"' and not (quoted and _escaped(tail, place)):
                quoted = not quoted
            elif letter in ",;" and (not quoted or place < 0):
                name, _, text = tail[place + 1 : end].partition("=")
                end = place
                if name.strip():
                    element.setdefault(name.strip().lower(), text)
                if letter == "," and element:
                    yield element
                    element = {}


def _escaped(text: str, place: int) -> bool:
    """Whether a backslash before it takes a character's meaning."""
    first = place
    while first > 0 and text[first - 1] == "\\":
        first -= 1
    return (place - first) % 2 == 1


def _address(node: str) -> Address | None:
    """The address of a hop: bare, in brackets, in quotes, with a port, with a zone, mapped into IPv6. None for
    `unknown`, an invented name, a host's name, or anything else."""
    text = node.strip()
    if len(text) > _NODE_CHARACTERS_MAX:
        return None
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = _ESCAPE.sub(r"\1", text[1:-1]).strip()
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or not (rest == "" or rest.startswith(":")):
            return None
        port = rest[1:] if rest else "0"
    elif text.count(":") in (1, 8):  # `192.0.2.1:443`; eight groups of an IPv6 address and a port
        host, _, port = text.rpartition(":")
    if port and _PORT.fullmatch(port) is None:
        return None
    try:
        found = ip_address(host.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found

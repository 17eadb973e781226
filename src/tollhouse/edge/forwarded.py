"""Who is at the other end: the peer's address, or what a trusted proxy in front of us says it is."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from tollhouse.core.wire import Headers
from tollhouse.edge.exchange import Scope


class TrustedProxies:
    """`networks`: CIDR texts. Nobody is trusted by default; then forwarded headers mean nothing."""

    def __init__(self, networks: tuple[str, ...]) -> None:
        self._networks: tuple[IPv4Network | IPv6Network, ...] = tuple(ip_network(n, strict=False) for n in networks)

    def client(self, scope: Scope, headers: Headers) -> str:
        """The caller's address: from the right of `X-Forwarded-For`, the first that is no trusted proxy."""
        peer = scope["client"]
        address: str = peer[0] if peer else ""
        if not self._networks or not self.trusts(address):
            return address
        hops = [hop.strip() for name, value in headers if name == b"x-forwarded-for" for hop in _text(value).split(",")]
        for hop in reversed(hops):
            if not _is_address(hop):
                break
            address = hop
            if not self.trusts(hop):
                break
        return address

    def scheme(self, scope: Scope) -> str:
        """How the caller reached us: what the nearest trusted proxy says, else how this connection came."""
        peer, scheme = scope["client"], str(scope["scheme"])
        if not self._networks or not peer or not self.trusts(peer[0]):
            return scheme
        said = [_text(value).strip().lower() for name, value in scope["headers"] if name == b"x-forwarded-proto"]
        return said[-1] if said and said[-1] in ("http", "https") else scheme

    def trusts(self, address: str) -> bool:
        if not _is_address(address):
            return False
        ip = ip_address(address)
        mapped = getattr(ip, "ipv4_mapped", None) or ip
        return any(mapped in network for network in self._networks)


def _text(value: bytes) -> str:
    return value.decode("latin-1")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True

"""From which addresses a key may be used: lists of networks in CIDR notation.

An IPv4 address that arrives inside IPv6 (`::ffff:10.0.0.7`, as on dual-stack sockets) counts as the IPv4 address, and
so does a network written that way; else a list would hold on one socket and not on the other.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from tollhouse.core.failure import BadRequest
from tollhouse.core.phrase import Phrase

Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")


def read_network(text: str) -> Network:
    """`10.0.0.0/8`, `2001:db8::/32` or a single address. Raises BadRequest, also for bits set behind the prefix."""
    try:
        network = ip_network(text.strip())
    except ValueError:
        raise BadRequest(
            Phrase("%(given)s is not a network: %(cure)s", given=repr(text[:60]), cure=_instead(text)), param="networks"
        ) from None
    if isinstance(network, IPv6Network) and network.prefixlen >= 96 and network.subnet_of(_MAPPED):
        start = int(network.network_address) & 0xFFFF_FFFF
        return IPv4Network((start, network.prefixlen - 96))
    return network


def _instead(text: str) -> str:
    try:
        return Phrase("did you mean %(network)s?", network=ip_network(text.strip(), strict=False))
    except ValueError:
        return Phrase("write it in CIDR notation, such as 10.0.0.0/8 or 2001:db8::/32")


@lru_cache(maxsize=4096)
def allowed(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an address lies in one of the networks; no networks allow every address.

    What cannot be read as an address, or as a network, matches nothing where there is a list. Remembered, because
    reading both takes several microseconds and the same few callers come again and again.
    """
    if not networks:
        return True
    try:
        caller: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(caller, IPv6Address) and caller.ipv4_mapped is not None:
        caller = caller.ipv4_mapped
    return any(caller in network for network in _read_all(networks))


@lru_cache(maxsize=1024)
def _read_all(networks: tuple[str, ...]) -> tuple[Network, ...]:
    read: list[Network] = []
    for text in networks:
        try:
            read.append(read_network(text))
        except BadRequest:
            continue  # refused when keys are made; a row from elsewhere must not answer callers with 400
    return tuple(read)

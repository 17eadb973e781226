"""How many calls may come in a minute from one client address: against guessing of keys and against floods.

An IPv6 caller has a whole network of addresses to himself, so the first 64 bits count as one address.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from tollhouse.limits.counter_key import CounterKey, Limit
from tollhouse.limits.requests import RequestRate


class AddressRate:
    """`per_minute` None: no limit, and nothing is counted."""

    __slots__ = ("_contact", "_per_minute", "_rate")

    def __init__(self, per_minute: int | None = None, contact: str = "") -> None:
        self._per_minute = per_minute
        self._contact = contact
        self._rate = RequestRate()

    def admit(self, address: str, now_ms: int) -> None:
        """Count a call. Raises RateLimited. A text that is no address (a socket file) is nobody's and not counted."""
        if self._per_minute is None:
            return
        network = network_of(address)
        if network is not None:
            limit = Limit(CounterKey("address", network), self._per_minute)
            self._rate.take(self._rate.check((limit,), 1, now_ms, self._contact))

    def sweep(self, now_ms: int) -> None:
        self._rate.sweep(now_ms)


@lru_cache(maxsize=4096)
def network_of(address: str) -> str | None:
    """What counts as one caller: an IPv4 address, also one mapped into IPv6, or an IPv6 network of 64 bits."""
    try:
        parsed: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return None
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)
